using System.Text.Json;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Output;

/// <summary>One JSON object a line on standard output, and nothing else there.</summary>
/// <param name="output">Standard output.</param>
/// <param name="progressEvery">Steps from one progress event to the next.</param>
internal sealed class JsonOutput(Stream output, int progressEvery) : ITrainingOutput
{
    private readonly RateOverSteps _rate = new();
    private StepPlan? _plan;

    public void Begin(RunDescription run) => _plan = run.Plan;

    public void On(TrainingEvent happened)
    {
        if (happened is StepDone step)
        {
            _rate.Add(_plan!.At(step.Step).Count, step.SamplesPerSecond);
            if (step.Step % progressEvery != 0)
            {
                return;
            }

            happened = step with { SamplesPerSecond = _rate.Take() };
        }

        if (happened is TrainingWaits waits)
        {
            // No result: it is said to people, beside the results.
            Console.Error.WriteLine($"the job waits: {waits.Reason}");
            return;
        }

        JsonLine.Write(output, json => Write(json, happened));
    }

    public void End(TrainingEvent outcome, RunStatistics? statistics) => JsonLine.Write(output, json =>
    {
        Write(json, outcome);
        if (statistics is not null)
        {
            StatisticsJson.Write(json, statistics);
        }
    });

    public void Dispose() => output.Dispose();

    /// <summary>Writes the properties of an event.</summary>
    internal static void Write(Utf8JsonWriter json, TrainingEvent happened)
    {
        switch (happened)
        {
            case TrainingWaiting waiting:
                json.WriteString("event", "waiting");
                json.WriteString("jobId", waiting.JobId);
                break;
            case TrainingStarted started:
                json.WriteString("event", "started");
                json.WriteString("jobId", started.JobId);
                json.WriteNumber("layers", started.Layers);
                json.WriteNumber("parameters", started.Parameters);
                json.WriteNumber("nodes", started.Nodes);
                break;
            case GenerationStarted generation:
                WriteGeneration(json, generation);
                break;
            case StepDone step:
                json.WriteString("event", "progress");
                json.WriteNumber("step", step.Step);
                json.WriteNumber("epoch", step.Epoch);
                Number(json, "loss", step.Loss);
                Number(json, "samplesPerSecond", step.SamplesPerSecond);
                break;
            case EpochDone epoch:
                json.WriteString("event", "epoch");
                json.WriteNumber("epoch", epoch.Epoch);
                json.WriteNumber("step", epoch.Step);
                Number(json, "trainLoss", epoch.TrainLoss);
                Number(json, "testLoss", epoch.TestLoss);
                Number(json, "testAccuracy", epoch.TestAccuracy);
                break;
            case CheckpointSaved checkpoint:
                json.WriteString("event", "checkpoint");
                json.WriteNumber("step", checkpoint.Step);
                json.WriteNumber("bytes", checkpoint.Bytes);
                break;
            case TrainingPaused paused:
                json.WriteString("event", "paused");
                json.WriteString("jobId", paused.JobId);
                json.WriteNumber("step", paused.Step);
                break;
            case TrainingCompleted completed:
                WriteCompleted(json, completed);
                break;
            case TrainingFailed failed:
                json.WriteString("event", "failed");
                json.WriteString("jobId", failed.JobId);
                json.WriteNumber("step", failed.Step);
                json.WriteString("layer", failed.Layer);
                json.WriteString("reason", failed.Reason);
                break;
            case TrainingCancelled cancelled:
                json.WriteString("event", "cancelled");
                json.WriteString("jobId", cancelled.JobId);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(happened), happened, "An event without a JSON form.");
        }
    }

    private static void WriteGeneration(Utf8JsonWriter json, GenerationStarted generation)
    {
        json.WriteString("event", "generation");
        json.WriteNumber("generation", generation.Generation);
        json.WriteNumber("step", generation.Step);
        json.WriteString("reason", generation.Reason);
        json.WriteStartArray("placement");
        var placement = generation.Placement;
        for (var replica = 0; replica < placement.Replicas; replica++)
        {
            for (var stage = 0; stage < placement.Stages; stage++)
            {
                json.WriteStartObject();
                json.WriteNumber("replica", replica);
                json.WriteNumber("stage", stage);
                json.WriteString("node", placement[replica, stage]);
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
    }

    private static void WriteCompleted(Utf8JsonWriter json, TrainingCompleted completed)
    {
        json.WriteString("event", "completed");
        json.WriteString("jobId", completed.JobId);
        json.WriteNumber("steps", completed.Steps);
        json.WriteNumber("epochs", completed.Epochs);
        Number(json, "trainLoss", completed.TrainLoss);
        Number(json, "testLoss", completed.TestLoss);
        Number(json, "testAccuracy", completed.TestAccuracy);
        Number(json, "samplesPerSecond", completed.SamplesPerSecond);
        Number(json, "wallSeconds", completed.WallSeconds);
        json.WriteString("weightsSha256", completed.WeightsSha256);
        json.WriteNumber("nodes", completed.Nodes);
        json.WriteNumber("recoveries", completed.Recoveries);
    }

    // JSON knows no infinities: what is not there, and what is no number, is null.
    private static void Number(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
