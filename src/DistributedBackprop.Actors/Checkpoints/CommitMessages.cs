using Akka.Actor;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Checkpoints;

/// <summary>
/// A job hands the checkpoint of a step to whoever saves checkpoints, an actor of this process. The answer is
/// <see cref="CheckpointCommitted"/> or <see cref="CheckpointNotCommitted"/>, whenever it comes: training goes on meanwhile,
/// and no further checkpoint is taken.
/// </summary>
/// <param name="JobId">Which job.</param>
/// <param name="State">The state of all layers after that step, complete; the receiver owns it.</param>
/// <param name="Progress">The job's course right after that step.</param>
public sealed record CommitCheckpoint(string JobId, TrainingState State, ProgressState Progress)
    : INoSerializationVerificationNeeded
{
    /// <summary>After which step.</summary>
    public long Step => Progress.Step;
}

/// <summary>The answer to <see cref="CommitCheckpoint"/>: it is durable.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Step">After which step.</param>
/// <param name="Bytes">Bytes of the state.</param>
public sealed record CheckpointCommitted(string JobId, long Step, long Bytes) : INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="CommitCheckpoint"/>: it cannot be saved. The one before it stays.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Step">After which step.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record CheckpointNotCommitted(string JobId, long Step, string Reason) : INoSerializationVerificationNeeded;
