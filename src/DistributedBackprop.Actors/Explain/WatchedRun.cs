using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Explain;

/// <summary>
/// A job cut down to one replica and a few examples, all of which every step takes: everything else is the job's.
/// </summary>
public static class WatchedRun
{
    /// <summary>Cuts a job down.</summary>
    /// <param name="run">The job.</param>
    /// <param name="first">The first example of its training set, from 0.</param>
    /// <param name="count">How many examples, ≥ 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no such examples.</exception>
    public static JobRun Of(JobRun run, int first, int count)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, run.Data.Train.Count - first);
        var train = run.Data.Train;
        var features = new float[checked(count * train.Shape.Length)];
        var labels = new int[count];

        // By the factor 1, which changes nothing: the job's own factor is applied when the replica gathers them.
        train.Gather([.. Enumerable.Range(first, count)], 1, features, labels);
        return run with
        {
            Id = $"{run.Id}-{first}-{count}",
            Job = run.Job with
            {
                Data = run.Job.Data with { Shuffle = false },

                // The number of steps stays: rates may follow from it.
                Training = new TrainingPlan
                {
                    BatchSize = count,
                    Steps = new StepPlan(run.Job.Training, train.Count).TotalSteps,
                },
                // Replicas that average parameters go their own ways: it is the first that is left.
                Parallelism = new Parallelism { Averaging = run.Job.Parallelism.Averaging },
            },
            Data = new DataSet(Examples.OfFloats(train.Shape, features, labels), null, run.Data.Factor),
        };
    }
}
