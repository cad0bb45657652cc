namespace DistributedBackprop.Training.Jobs;

/// <summary>The job is in the queue: it was handed in, or resumed.</summary>
/// <param name="JobId">Which job.</param>
public sealed record TrainingWaiting(string JobId) : TrainingEvent;

/// <summary>The job is put aside.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Step">The last step trained.</param>
public sealed record TrainingPaused(string JobId, long Step) : TrainingEvent;
