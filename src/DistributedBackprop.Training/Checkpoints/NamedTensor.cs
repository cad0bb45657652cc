using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>A tensor as a file holds it.</summary>
/// <param name="Name">Its full name, e.g. <c>dense1.weight</c>.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Data">Its elements in row-major order, as many as the shape says.</param>
public sealed record NamedTensor(string Name, Shape Shape, ReadOnlyMemory<float> Data);
