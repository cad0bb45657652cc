using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Optimizers;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>A job with all that it needs to run.</summary>
/// <param name="Id">Names it.</param>
/// <param name="Job">What is asked.</param>
/// <param name="Graph">Its network.</param>
/// <param name="Data">Its examples.</param>
/// <param name="Initial">Parameters to begin with, by full name (<c>layer.parameter</c>); null for fresh ones.</param>
public sealed record JobRun(
    string Id, TrainingJob Job, Graph Graph, DataSet Data, ImmutableDictionary<string, float[]>? Initial)
{
    /// <summary>
    /// How many steps the job may run ahead of whoever watches it, ≥ 1: a watcher that takes no more events in holds it
    /// there. Nothing of what is computed depends on it.
    /// </summary>
    public long StepsAhead { get; init; } = 4096;

    /// <summary>The data root of the nodes below which the job's files lie, by its name; empty: the one that has none.</summary>
    public string DataRoot { get; init; } = "";

    /// <summary>Whether it goes on also where another version of the program has begun it: its bits are not promised then.</summary>
    public bool IsForced { get; init; }

    /// <summary>Which examples a step takes.</summary>
    public StepPlan Plan { get; } = new(Job.Training, Data.Train.Count);

    /// <summary>Steps from one checkpoint to the next, where the job does not say it.</summary>
    public const long CheckpointEvery = 100;

    /// <summary>The course of the job from where it was.</summary>
    /// <param name="from">Where.</param>
    /// <exception cref="ArgumentException">This job was never there.</exception>
    public JobProgress ProgressFrom(ProgressState from) => new(
        Job,
        Plan,
        Loss.Of(Job.Loss, Graph.Output),
        Data.Test?.Count,
        from,
        Job.Checkpoints.EverySteps ?? CheckpointEvery);

    /// <summary>What the state of the job is made of.</summary>
    public StateLayout StateLayout() => LayoutOf(Job, Graph);

    /// <summary>What the state of a job is made of.</summary>
    /// <param name="job">The job.</param>
    /// <param name="graph">Its network.</param>
    public static StateLayout LayoutOf(TrainingJob job, Graph graph)
    {
        ArgumentNullException.ThrowIfNull(job);
        return Training.Checkpoints.StateLayout.Of(
            graph,
            job.Parallelism.Replicas,
            job.Parallelism.Averaging is ParameterAveraging,
            Optimizer.Of(job.Optimizer).Slots);
    }
}
