namespace DistributedBackprop.Actors.Transport;

/// <summary>What a receiver accepts. Checked before memory is taken.</summary>
/// <param name="MaxPayloadBytes">The largest payload, ≥ 0.</param>
/// <param name="MaxReplicas">Replicas are below this, 1 to 65,536.</param>
/// <param name="MaxEdges">Edges and layers are below this, ≥ 1.</param>
public sealed record FrameLimits(int MaxPayloadBytes, int MaxReplicas, int MaxEdges)
{
    /// <summary>256 MB, 65,536 replicas, 1,048,576 edges.</summary>
    public static FrameLimits Default { get; } = new(256 << 20, 1 << 16, 1 << 20);
}
