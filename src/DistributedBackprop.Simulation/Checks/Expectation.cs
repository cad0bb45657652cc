using System.Collections.Immutable;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>What an undisturbed run of a job ends with and tells: whatever happens, every run must.</summary>
/// <param name="Outcome">Its last word.</param>
/// <param name="Steps">The mean loss of each step.</param>
/// <param name="Epochs">The end of each epoch.</param>
public sealed record Expectation(TrainingCompleted Outcome, ImmutableArray<double> Steps, ImmutableArray<EpochDone> Epochs)
{
    /// <summary>The hash of its final weights.</summary>
    public string WeightsSha256 => Outcome.WeightsSha256;

    /// <summary>Runs a job on one node where nothing happens.</summary>
    /// <exception cref="SimulationException">The job does not complete even so.</exception>
    public static Expectation Of(SimulatedJob job)
    {
        using var cluster = new SimulatedCluster(0, job, nodes: 1);
        return cluster.RunToEnd() is TrainingCompleted completed
            ? new Expectation(
                completed,
                [.. cluster.Events.OfType<StepDone>().Select(step => step.Loss)],
                [.. cluster.Events.OfType<EpochDone>()])
            : throw new SimulationException($"The job does not complete on one node where nothing happens: {cluster.Course.Outcome}");
    }

    /// <summary>What of the last word of a run differs: all but how long it took and where.</summary>
    internal IEnumerable<string> Problems(TrainingCompleted completed)
    {
        var alike = completed with
        {
            SamplesPerSecond = Outcome.SamplesPerSecond,
            WallSeconds = Outcome.WallSeconds,
            Nodes = Outcome.Nodes,
            Recoveries = Outcome.Recoveries,
        };
        if (completed.WeightsSha256 != WeightsSha256)
        {
            yield return $"the weights are {completed.WeightsSha256}, undisturbed {WeightsSha256}";
        }
        else if (alike != Outcome)
        {
            yield return $"the job ends as {alike}, undisturbed as {Outcome}";
        }
    }

    /// <summary>
    /// What differs of the events that one process has told, in their order: each step and each epoch is told once. A process
    /// that goes on for another one knows what is durable, and nothing else was told for sure: it may tell some again, and
    /// leaves out none but those.
    /// </summary>
    internal IEnumerable<string> ProblemsOf(ToldSession session)
    {
        var isEnd = session.Events.OfType<TrainingCompleted>().Any();
        var steps = session.Events.OfType<StepDone>().ToList();
        var epochs = session.Events.OfType<EpochDone>().ToList();
        foreach (var problem in InOrder("step", [.. steps.Select(step => step.Step)], session.DurableStep, Steps.Length, isEnd)
            .Concat(InOrder("epoch", [.. epochs.Select(epoch => (long)epoch.Epoch)], session.DurableEpoch, Epochs.Length, isEnd)))
        {
            yield return problem;
        }

        foreach (var step in steps.Where(step => step.Step <= Steps.Length && Bits(step.Loss) != Bits(Steps[(int)step.Step - 1])))
        {
            yield return FormattableString.Invariant(
                $"the loss of step {step.Step} is {step.Loss:R}, undisturbed {Steps[(int)step.Step - 1]:R}");
        }

        foreach (var epoch in epochs.Where(epoch => epoch.Epoch <= Epochs.Length && epoch != Epochs[epoch.Epoch - 1]))
        {
            yield return $"an epoch ends as {epoch}, undisturbed as {Epochs[epoch.Epoch - 1]}";
        }
    }

    private static IEnumerable<string> InOrder(string what, long[] told, long durable, int count, bool isEnd)
    {
        for (var place = 1; place < told.Length; place++)
        {
            if (told[place] != told[place - 1] + 1)
            {
                yield return FormattableString.Invariant(
                    $"{what} {told[place]} was told after {what} {told[place - 1]} (each must be told once, in order)");
            }
        }

        if (told.Length > 0 && told[0] > durable + 1)
        {
            yield return FormattableString.Invariant($"{what} {told[0]} was told first, and {durable} was the last that is durable: some were left out");
        }

        if (told.Length > 0 ? told[^1] > count || (isEnd && told[^1] != count) : isEnd && durable < count)
        {
            yield return FormattableString.Invariant(
                $"{what} {(told.Length > 0 ? told[^1] : durable)} was told last, and there are {count}");
        }
    }

    private static long Bits(double value) => BitConverter.DoubleToInt64Bits(value);
}
