namespace DistributedBackprop.Training.Pipeline;

/// <summary>Names one pass of one slice of one replica's examples through the network.</summary>
/// <param name="Step">
/// The training step, from 1; of an evaluation the last step whose updates it must see, from 0.
/// </param>
/// <param name="Index">Which micro-batch of the step, or which chunk of the evaluation, from 0.</param>
/// <param name="IsTraining">Whether a backward pass follows.</param>
public readonly record struct MicroBatchKey(long Step, int Index, bool IsTraining)
{
    /// <summary>For traces and errors.</summary>
    public override string ToString() => IsTraining ? $"step {Step} micro-batch {Index}" : $"evaluation after step {Step} chunk {Index}";
}
