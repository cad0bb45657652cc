using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Journal;

/// <summary>The job was handed in: the first event of its journal, after who took it over.</summary>
/// <param name="JobId">Names it.</param>
/// <param name="Document">The job in its canonical form.</param>
/// <param name="DataRoot">The name of the root that its data's paths are relative to.</param>
/// <param name="DataFingerprint">Of its data.</param>
/// <param name="InitialSha256">Of the parameters it was given to begin with; null for none.</param>
/// <param name="Initial">Where those are in the store; null for none.</param>
/// <param name="ProgramVersion">Fixes the bits: a job is not resumed by another.</param>
/// <param name="Order">Jobs are placed in this order.</param>
/// <param name="SubmittedAt">When; whole milliseconds are kept.</param>
public sealed record JobSubmitted(
    string JobId,
    string Document,
    string DataRoot,
    string DataFingerprint,
    string? InitialSha256,
    StateManifest? Initial,
    string ProgramVersion,
    long Order,
    DateTimeOffset SubmittedAt) : JobRecord;

/// <summary>
/// An actor took the job over. A later one has a larger epoch; the one before meets a key conflict at its next event.
/// </summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Process">Names the process it is in; empty where an earlier version did not say.</param>
/// <param name="CoordinatorEpoch">
/// The takeover of the coordinator's own journal under which it was made, from 1; 0 where the coordinator has none.
/// </param>
public sealed record JobTookOver(long Epoch, string Process = "", long CoordinatorEpoch = 0) : JobRecord;

/// <summary>The job was placed. A number is never used twice.</summary>
/// <param name="Generation">Which placement, from 1.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Recoveries">How often the job was recovered until then.</param>
public sealed record JobPlaced(long Generation, string Reason, int Recoveries = 0) : JobRecord;

/// <summary>The end of an epoch was decided. Nothing beyond it was granted before.</summary>
/// <param name="Epoch">Its values.</param>
/// <param name="EndsJob">Whether the job ends with it.</param>
/// <param name="Number">
/// Its number among the events that watchers are told: whoever watches under a later coordinator is told it under the same. 0
/// where nobody counted them.
/// </param>
public sealed record EpochDecided(EpochDone Epoch, bool EndsJob, long Number = 0) : JobRecord;

/// <summary>A checkpoint is durable: the job may be recovered from it.</summary>
/// <param name="Manifest">What it is made of.</param>
/// <param name="Keep">How many of the newest stay, this one with them, ≥ 1.</param>
public sealed record CheckpointCommitted(CheckpointManifest Manifest, int Keep) : JobRecord;

/// <summary>A checkpoint turned out to be damaged: the one before it is used.</summary>
/// <param name="Step">After which step it was.</param>
/// <param name="Reason">What is wrong with it.</param>
public sealed record CheckpointDropped(long Step, string Reason) : JobRecord;

/// <summary>The job was paused: its newest checkpoint is of this step.</summary>
/// <param name="Step">The last step trained.</param>
public sealed record JobPaused(long Step) : JobRecord;

/// <summary>A job that was paused goes on.</summary>
public sealed record JobResumed : JobRecord;

/// <summary>
/// A job that was over begins again, its past forgotten: see <see cref="JobHistory.Forgotten"/>. It is not written any more; journals
/// of earlier versions have it.
/// </summary>
public sealed record JobForgotten : JobRecord;

/// <summary>
/// The job goes on although another version of the program has begun it, as somebody wanted: that its bits are those of one
/// version is no longer promised.
/// </summary>
/// <param name="Version">The version that goes on.</param>
public sealed record VersionForced(string Version) : JobRecord;

/// <summary>The job is done.</summary>
/// <param name="Outcome">Its last word.</param>
/// <param name="Weights">Where its final weights are in the store.</param>
public sealed record JobCompleted(TrainingCompleted Outcome, StateManifest Weights) : JobRecord;

/// <summary>The job has failed.</summary>
/// <param name="Step">At which step.</param>
/// <param name="Layer">The layer that failed; null where it was none.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record JobFailed(long Step, string? Layer, string Reason) : JobRecord;

/// <summary>The job was cancelled.</summary>
/// <param name="Step">The last step trained.</param>
public sealed record JobCancelled(long Step) : JobRecord;
