using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>What a backward pass is besides its delta.</summary>
/// <param name="Workspace">What to compute with.</param>
/// <param name="Gradient">
/// Where the layer's gradient accumulates; borrowed. Of a layer without parameters it has no elements.
/// </param>
/// <param name="Continues">
/// Whether the gradient continues its chain from the micro-batch before; if not, it begins at +0 and what the memory
/// holds is of no account.
/// </param>
/// <param name="InputDeltaWanted">
/// For each input whether its delta is wanted: nobody reads the delta of the graph's own input.
/// </param>
public readonly record struct BackwardPass(
    Workspace Workspace, Parameters Gradient, bool Continues, ReadOnlyMemory<bool> InputDeltaWanted);
