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

    /// <summary>
    /// What of a run's events differs. Every step is told once and in order; whoever is told by another process, which knows
    /// what is durable, may hear some again or miss some.
    /// </summary>
    internal IEnumerable<string> Problems(JobCourse course)
    {
        var starts = course.Sessions.Append(course.Events.Count).ToList();
        for (var session = 0; session + 1 < starts.Count; session++)
        {
            var told = course.Events.Take(starts[session + 1]).Skip(starts[session]).Select(told => told.Event).ToList();
            foreach (var problem in ProblemsOf(told, session == 0))
            {
                yield return problem;
            }
        }
    }

    /// <summary>What differs of the events that one process has told, in their order.</summary>
    /// <param name="told">The events.</param>
    /// <param name="isFirst">Whether they begin at the beginning of the job.</param>
    internal IEnumerable<string> ProblemsOf(IReadOnlyList<TrainingEvent> told, bool isFirst) =>
        OfSteps(told, isFirst).Concat(OfEpochs(told, isFirst));

    private IEnumerable<string> OfSteps(IReadOnlyList<TrainingEvent> told, bool isFirst)
    {
        long? last = isFirst ? 0 : null;
        foreach (var step in told.OfType<StepDone>())
        {
            if (step.Step > Steps.Length || (last is { } before && step.Step != before + 1))
            {
                yield return FormattableString.Invariant($"step {step.Step} was told after step {last} (each must be told once, in order)");
            }
            else if (Bits(step.Loss) != Bits(Steps[(int)step.Step - 1]))
            {
                yield return FormattableString.Invariant(
                    $"the loss of step {step.Step} is {step.Loss:R}, undisturbed {Steps[(int)step.Step - 1]:R}");
            }

            last = step.Step;
        }
    }

    private IEnumerable<string> OfEpochs(IReadOnlyList<TrainingEvent> told, bool isFirst)
    {
        int? last = isFirst ? 0 : null;
        foreach (var epoch in told.OfType<EpochDone>())
        {
            if (epoch.Epoch > Epochs.Length || (last is { } before && epoch.Epoch != before + 1) || epoch != Epochs[epoch.Epoch - 1])
            {
                yield return $"an epoch ends as {epoch} (each must end once, and as undisturbed)";
            }

            last = epoch.Epoch;
        }
    }

    private static long Bits(double value) => BitConverter.DoubleToInt64Bits(value);
}
