using System.Collections.Immutable;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>What an undisturbed run of a job ends with and tells: whatever happens, every run must.</summary>
/// <param name="WeightsSha256">The hash of its final weights.</param>
/// <param name="Steps">The mean loss of each step.</param>
/// <param name="Epochs">The end of each epoch.</param>
public sealed record Expectation(string WeightsSha256, ImmutableArray<double> Steps, ImmutableArray<EpochDone> Epochs)
{
    /// <summary>Runs a job on one node where nothing happens.</summary>
    /// <exception cref="SimulationException">The job does not complete even so.</exception>
    public static Expectation Of(SimulatedJob job)
    {
        using var cluster = new SimulatedCluster(0, job, nodes: 1);
        return cluster.RunToEnd() is TrainingCompleted completed
            ? new Expectation(
                completed.WeightsSha256,
                [.. cluster.Events.OfType<StepDone>().Select(step => step.Loss)],
                [.. cluster.Events.OfType<EpochDone>()])
            : throw new SimulationException($"The job does not complete on one node where nothing happens: {cluster.Course.Outcome}");
    }

    /// <summary>What of a run's events differs.</summary>
    internal IEnumerable<string> Problems(IReadOnlyList<TrainingEvent> events)
    {
        var steps = events.OfType<StepDone>().ToList();
        var epochs = events.OfType<EpochDone>().ToList();
        if (!steps.Select(step => step.Step).SequenceEqual(Enumerable.Range(1, Steps.Length).Select(step => (long)step)))
        {
            var wrong = steps.FindIndex(0, step => step.Step != steps.IndexOf(step) + 1);
            yield return FormattableString.Invariant(
                $"steps 1 … {Steps.Length} must be told once each, in order (were {steps.Count}, wrong from place {wrong + 1})");
        }
        else if (steps.FindIndex(step => Bits(step.Loss) != Bits(Steps[(int)step.Step - 1])) is var other and >= 0)
        {
            yield return FormattableString.Invariant($"the loss of step {other + 1} is {steps[other].Loss:R}, undisturbed {Steps[other]:R}");
        }

        if (!epochs.SequenceEqual(Epochs))
        {
            yield return $"epochs end otherwise than undisturbed: {string.Join("; ", epochs.Except(Epochs).Take(1))}";
        }
    }

    private static long Bits(double value) => BitConverter.DoubleToInt64Bits(value);
}
