using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Averaging;

/// <summary>
/// Sums over replicas in the one order that is promised: a tree whose left half of K leaves holds the largest power of
/// two below K. It depends on the replicas' numbers alone, never on where they run or who is ready first.
/// </summary>
public static class TreeSum
{
    /// <summary>The sum of one number per replica.</summary>
    public static double Of(ReadOnlySpan<double> leaves)
    {
        if (leaves.Length <= 1)
        {
            return leaves.Length == 1 ? leaves[0] : 0;
        }

        var left = LeftLeaves(leaves.Length);
        return Of(leaves[..left]) + Of(leaves[left..]);
    }

    /// <summary>
    /// Sums a part of the replicas' vectors in place. Afterwards the first vector holds the sum; the others hold partial
    /// sums.
    /// </summary>
    /// <param name="leaves">One vector per replica, in their order.</param>
    /// <param name="start">The part's first element.</param>
    /// <param name="length">The part's length; one that stays in the first-level cache is best.</param>
    public static void InPlace(ReadOnlySpan<Leaf> leaves, int start, int length)
    {
        if (leaves.Length <= 1)
        {
            return;
        }

        var left = LeftLeaves(leaves.Length);
        InPlace(leaves[..left], start, length);
        InPlace(leaves[left..], start, length);
        ActivationKernels.Add(leaves[0].Part(start, length), leaves[left].Part(start, length));
    }

    /// <summary>Sums the rows of a tensor in place. The first row, which is returned, then holds the sum.</summary>
    /// <param name="rows"><c>[leaves, length]</c>, at least one leaf.</param>
    public static Span<float> OfRows(Tensor rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        OfRows(rows.Floats, rows.Shape[0], rows.Shape[1]);
        return rows.Floats[..rows.Shape[1]];
    }

    private static void OfRows(Span<float> rows, int leaves, int length)
    {
        if (leaves > 1)
        {
            var left = LeftLeaves(leaves);
            OfRows(rows, left, length);
            OfRows(rows[(left * length)..], leaves - left, length);
            ActivationKernels.Add(rows[..length], rows.Slice(left * length, length));
        }
    }

    private static int LeftLeaves(int leaves)
    {
        var left = 1;
        while (left * 2 < leaves)
        {
            left *= 2;
        }

        return left;
    }
}
