using System.Globalization;
using DistributedBackprop.Training.Jobs;
using Spectre.Console;

namespace DistributedBackprop.Cli.Output;

/// <summary>For people: the layers and the progress on standard error, the result on standard output.</summary>
internal sealed class ConsoleOutput : ITrainingOutput
{
    private readonly TextWriter _results;
    private readonly IAnsiConsole _console;
    private IProgressView? _progress;
    private RunDescription? _run;

    /// <param name="results">Standard output.</param>
    /// <param name="errors">Standard error.</param>
    public ConsoleOutput(TextWriter results, TextWriter errors)
    {
        _results = results;
        _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(errors) });
        if (!_console.Profile.Out.IsTerminal)
        {
            // Nobody wraps the lines of a file.
            _console.Profile.Width = 160;
        }
    }

    public void Begin(RunDescription run)
    {
        var job = run.Job;
        _console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{job.Name}: {run.Data.Train.Count:N0} examples to train on, {run.Data.Test?.Count ?? 0:N0} to judge on, {run.Plan.TotalSteps:N0} steps of {job.Training.BatchSize}"));
        _run = run;
        if (run.Nodes is null)
        {
            Show(null);
        }
    }

    public void On(TrainingEvent happened)
    {
        switch (happened)
        {
            case GenerationStarted generation:
                EndProgress();
                if (generation.Generation > 1)
                {
                    _console.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"generation {generation.Generation} goes on after step {generation.Step}: {generation.Reason}"));
                }

                Show(generation.Placement);
                break;
            case StepDone step:
                _progress?.On(step);
                break;
            case EpochDone epoch:
                _progress?.On(epoch);
                break;
            case TrainingWaits waits:
                EndProgress();
                _console.WriteLine($"the job waits: {waits.Reason}");
                break;
            case TrainingPaused paused:
                EndProgress();
                _console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"paused after step {paused.Step}"));
                break;
            case TrainingCompleted completed:
                EndProgress();
                Result("steps", $"{completed.Steps:N0} ({completed.Epochs:N0} epochs)");
                Result("train loss", $"{completed.TrainLoss:G6}");
                if (completed.TestLoss is not null)
                {
                    Result("test loss", $"{completed.TestLoss:G6}");
                    Result("test accuracy", $"{completed.TestAccuracy:P2}");
                }

                Result("examples/s", $"{completed.SamplesPerSecond:N0}");
                Result("seconds", $"{completed.WallSeconds:F2}");
                Result("weights sha256", $"{completed.WeightsSha256}");
                break;
            case TrainingFailed failed:
                EndProgress();
                _console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"failed at step {failed.Step}{(failed.Layer is null ? "" : $" in layer {failed.Layer}")}: {failed.Reason}"));
                break;
            case TrainingCancelled cancelled:
                EndProgress();
                _console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"stopped after step {cancelled.Step}"));
                break;
        }
    }

    public void End(TrainingEvent outcome, RunStatistics? statistics)
    {
        EndProgress();
        if (statistics is not null)
        {
            _console.Write(StatisticsTable.Of(statistics));
            foreach (var line in StatisticsTable.LinesOf(statistics))
            {
                _console.WriteLine(line);
            }
        }

        On(outcome);
    }

    public void Dispose() => EndProgress();

    private void Show(Placement? placement)
    {
        var run = _run!;
        _console.Write(LayerTable.Of(run, placement));
        _progress = _console.Profile.Out.IsTerminal && _console.Profile.Capabilities.Interactive
            ? new LiveProgress(_console, run)
            : new PlainProgress(_console, run);
    }

    private void EndProgress()
    {
        _progress?.Dispose();
        _progress = null;
    }

    private void Result(string name, FormattableString value) =>
        _results.WriteLine($"{name,-15} {value.ToString(CultureInfo.InvariantCulture)}");
}
