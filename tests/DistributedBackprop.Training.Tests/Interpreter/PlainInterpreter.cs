using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// The slow obvious path: trains a job by scalar loops on one thread, in exactly the order that fixes the bits. It shares
/// nothing with the product but the job's records, so the product, however it cuts, schedules and places the work, must
/// equal it bit for bit.
/// <para>
/// It trusts its job: a job that the parser would refuse is not refused here. It goes on where numbers are not finite.
/// </para>
/// </summary>
public static class PlainInterpreter
{
    /// <summary>Runs a job to its end.</summary>
    /// <param name="job">What to train. Its data source only says whether to shuffle.</param>
    /// <param name="data">What to train on; features already scaled.</param>
    /// <param name="options">What else; null for nothing.</param>
    public static PlainResult Run(TrainingJob job, PlainData data, PlainOptions? options = null)
    {
        var graph = new PlainGraph(job);
        var examples = data.TrainLabels.Length;
        var totalSteps = PlainBatches.TotalSteps(job.Training, examples);
        var averaging = Averaging(job, graph, graph.Initial(job.Seed, options?.InitialParameters), totalSteps);
        var stepLosses = new List<double>();
        var epochs = new List<PlainEpoch>();
        var isStopped = false;
        while (stepLosses.Count < totalSteps && !isStopped)
        {
            var trainLoss = TrainEpoch(job, data, graph, averaging, totalSteps, epochs.Count, stepLosses);
            epochs.Add(Judged(job, data, graph, averaging, new(epochs.Count + 1, stepLosses.Count, trainLoss, null, null)));
            isStopped = PlainStopRule.IsMet(job.Training.StopWhen, epochs);
            if (isStopped)
            {
                // A last averaging may still change the parameters that the figures speak of.
                averaging.Finish();
                epochs[^1] = Judged(job, data, graph, averaging, epochs[^1]);
            }
        }

        var parameters = graph.Parameters
            .Select((p, i) => new PlainParameter(p.Name, p.Shape, averaging.Parameters[i]))
            .ToArray();
        return new PlainResult(stepLosses, epochs, parameters);
    }

    /// <summary>The replicas of a job.</summary>
    /// <param name="job">The job.</param>
    /// <param name="graph">Its layers.</param>
    /// <param name="parameters">What to begin with; taken.</param>
    /// <param name="totalSteps">Of the job, were it not stopped early.</param>
    public static IPlainAveraging Averaging(TrainingJob job, PlainGraph graph, float[][] parameters, long totalSteps) =>
        job.Parallelism.Averaging switch
        {
            GradientAveraging => new PlainGradientAveraging(job, graph, parameters, totalSteps),
            ParameterAveraging choice => new PlainParameterAveraging(job, choice, graph, parameters, totalSteps),
            _ => throw new ArgumentException($"No interpretation of {job.Parallelism.Averaging}.", nameof(job)),
        };

    /// <summary>Trains one epoch, or what is left of the job's steps.</summary>
    /// <returns>The epoch's train loss.</returns>
    private static double TrainEpoch(
        TrainingJob job,
        PlainData data,
        PlainGraph graph,
        IPlainAveraging averaging,
        long totalSteps,
        int epoch,
        List<double> stepLosses)
    {
        var order = PlainBatches.Order(job, data.TrainLabels.Length, epoch);
        var (sum, seen) = (0.0, 0);
        while (seen < order.Length && stepLosses.Count < totalSteps)
        {
            var chosen = order[seen..Math.Min(order.Length, seen + job.Training.BatchSize)];
            var batch = new PlainBatch(
                stepLosses.Count + 1,
                [.. chosen.Select(i => data.TrainFeatures[i])],
                [.. chosen.Select(i => data.TrainLabels[i])]);
            var loss = averaging.Step(batch);
            sum += loss;
            seen += chosen.Length;
            stepLosses.Add(loss / PlainLosses.Divisor(job.Loss, chosen.Length, graph.Output.Length));
        }

        if (stepLosses.Count == totalSteps)
        {
            averaging.Finish();
        }

        return sum / PlainLosses.Divisor(job.Loss, seen, graph.Output.Length);
    }

    private static PlainEpoch Judged(
        TrainingJob job, PlainData data, PlainGraph graph, IPlainAveraging averaging, PlainEpoch epoch)
    {
        if (data.TestFeatures is not { Length: > 0 } features)
        {
            return epoch;
        }

        var (loss, accuracy) = PlainEvaluation.Evaluate(job, graph, averaging.Parameters, features, data.TestLabels!);
        return epoch with { TestLoss = loss, TestAccuracy = accuracy };
    }
}
