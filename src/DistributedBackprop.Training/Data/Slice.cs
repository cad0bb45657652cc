namespace DistributedBackprop.Training.Data;

/// <summary>A run of consecutive examples.</summary>
/// <param name="Start">The first, ≥ 0.</param>
/// <param name="Length">How many, ≥ 0.</param>
public readonly record struct Slice(int Start, int Length)
{
    /// <summary>One past the last.</summary>
    public int End => Start + Length;

    /// <summary>One of the contiguous parts that this run is cut into: the first (length mod parts) get one more.</summary>
    /// <param name="parts">How many parts, ≥ 1: replicas, or micro-batches of a replica's slice.</param>
    /// <param name="part">Which, 0 … <paramref name="parts"/>−1.</param>
    /// <returns>The part; empty where there are more parts than examples.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such part.</exception>
    public Slice Part(int parts, int part)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(part);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(part, parts);
        var (each, larger) = Math.DivRem(Length, parts);
        return new Slice(Start + (part * each) + Math.Min(part, larger), each + (part < larger ? 1 : 0));
    }
}
