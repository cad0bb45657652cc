using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Running;

/// <summary>Trains jobs, in this process or on a cluster.</summary>
public interface ITrainer : IAsyncDisposable
{
    /// <summary>Trains a job to its end.</summary>
    /// <param name="run">The job.</param>
    /// <param name="observe">Is told every event but the last, in order.</param>
    /// <param name="cancellation">Ends the job as cancelled, or as paused where it can go on; a training step under way is finished first.</param>
    /// <returns>The last event, and the weights where the job completed; the caller owns it.</returns>
    Task<TrainingResult> RunAsync(JobRun run, Action<TrainingEvent> observe, CancellationToken cancellation = default);
}
