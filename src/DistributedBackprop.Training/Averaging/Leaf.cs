using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Averaging;

/// <summary>One replica's vector in a sum, or the part of it that is here.</summary>
/// <param name="Values">The elements; borrowed.</param>
/// <param name="Offset">Which element of the layer's vector the first one is.</param>
public readonly record struct Leaf(Tensor Values, int Offset = 0)
{
    /// <summary>A range of the layer's vector.</summary>
    public Span<float> Part(int start, int length) => Values.Floats.Slice(start - Offset, length);
}
