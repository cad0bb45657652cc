namespace DistributedBackprop.Training.Data;

/// <summary>
/// How a step's examples are cut: over replicas, each replica's slice into micro-batches. Contiguous, in order, the first
/// parts one longer where it does not come out even. The cut is part of what is computed: it never depends on placement.
/// </summary>
public static class Slices
{
    /// <summary>A replica's slice of a step's (or a test set's) examples, counted within them.</summary>
    /// <param name="examples">How many there are, ≥ 0.</param>
    /// <param name="replicas">≥ 1.</param>
    /// <param name="replica">0 … <paramref name="replicas"/>−1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public static Slice OfReplica(int examples, int replicas, int replica)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(examples);
        return new Slice(0, examples).Part(replicas, replica);
    }

    /// <summary>One micro-batch of a replica's slice, counted like the slice.</summary>
    /// <param name="slice">The replica's slice.</param>
    /// <param name="microBatches">≥ 1.</param>
    /// <param name="microBatch">0 … <paramref name="microBatches"/>−1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public static Slice OfMicroBatch(Slice slice, int microBatches, int microBatch) => slice.Part(microBatches, microBatch);
}
