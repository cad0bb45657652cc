namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// The order in which replicas are added: a tree whose left side holds the largest power of two of leaves below the whole.
/// </summary>
public static class PlainTree
{
    /// <summary>Sums of doubles: losses over replicas.</summary>
    public static double Sum(ReadOnlySpan<double> leaves)
    {
        if (leaves.Length == 1)
        {
            return leaves[0];
        }

        var left = LeftOf(leaves.Length);
        return Sum(leaves[..left]) + Sum(leaves[left..]);
    }

    /// <summary>Sums of arrays, element by element in float32: gradients over replicas.</summary>
    public static float[] Sum(ReadOnlySpan<float[]> leaves)
    {
        if (leaves.Length == 1)
        {
            return [.. leaves[0]];
        }

        var left = LeftOf(leaves.Length);
        var sum = Sum(leaves[..left]);
        var right = Sum(leaves[left..]);
        for (var i = 0; i < sum.Length; i++)
        {
            sum[i] += right[i];
        }

        return sum;
    }

    /// <summary>The largest power of two below <paramref name="count"/> (≥ 2).</summary>
    private static int LeftOf(int count)
    {
        var left = 1;
        while (left * 2 < count)
        {
            left *= 2;
        }

        return left;
    }
}
