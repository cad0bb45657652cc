using System.Collections.Immutable;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>What a safetensors file holds.</summary>
/// <param name="Tensors">The tensors in the order of their data.</param>
/// <param name="Metadata">The texts of <c>__metadata__</c>; empty without.</param>
public sealed record SafetensorsContent(ImmutableArray<NamedTensor> Tensors, ImmutableDictionary<string, string> Metadata);
