using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>What a forward pass is besides its inputs.</summary>
/// <param name="Workspace">What to compute with.</param>
/// <param name="IsTraining">Whether a backward pass follows; dropout works only then.</param>
/// <param name="Step">The training step, from 1; keys dropout.</param>
/// <param name="FirstPosition">
/// The position in the step's minibatch, over all replicas, of the micro-batch's first example; keys dropout.
/// </param>
public readonly record struct ForwardPass(Workspace Workspace, bool IsTraining, long Step, int FirstPosition);
