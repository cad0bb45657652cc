namespace DistributedBackprop.Training.Checkpoints;

/// <summary>A stored state is not what it must be: damaged, incomplete, or of another job.</summary>
/// <param name="message">What is wrong, and where.</param>
public sealed class CheckpointException(string message) : Exception(message);
