namespace DistributedBackprop.Training.Jobs;

/// <summary>The job is in the queue: it was handed in, or resumed.</summary>
/// <param name="JobId">Which job.</param>
public sealed record TrainingWaiting(string JobId) : TrainingEvent;
