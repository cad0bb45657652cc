using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// What a receiver accepts of anybody. Checked before memory is taken; what a generation accepts is less, and said by its
/// <see cref="ITensorReceiver.Judge"/>.
/// </summary>
/// <param name="MaxPayloadBytes">The largest payload, ≥ 0.</param>
/// <param name="MaxReplicas">Replicas are below this, 1 to 65,536.</param>
/// <param name="MaxEdges">Edges and layers are below this, ≥ 1.</param>
public sealed record FrameLimits(int MaxPayloadBytes, int MaxReplicas, int MaxEdges)
{
    /// <summary>As large as the largest tensor of a job (1.75 GB), 65,536 replicas, 1,048,576 edges.</summary>
    public static FrameLimits Default { get; } = new(TensorPool.LargestFloats * sizeof(float), 1 << 16, 1 << 20);
}
