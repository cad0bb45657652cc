namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// Reductions within a row: lane i of 16 takes the elements i, i+16, …, then lanes are halved until one is left.
/// </summary>
public static class PlainRows
{
    private const int Lanes = 16;

    /// <summary>The largest element; −∞ of an empty row.</summary>
    public static float Max(ReadOnlySpan<float> row)
    {
        var lanes = Filled(float.NegativeInfinity);
        for (var i = 0; i < row.Length; i++)
        {
            lanes[i % Lanes] = Larger(lanes[i % Lanes], row[i]);
        }

        return Halve(lanes, Larger);
    }

    /// <summary>The sum; +0 of an empty row.</summary>
    public static float Sum(ReadOnlySpan<float> row)
    {
        var lanes = Filled(0f);
        for (var i = 0; i < row.Length; i++)
        {
            lanes[i % Lanes] = lanes[i % Lanes] + row[i];
        }

        return Halve(lanes, (a, b) => a + b);
    }

    /// <summary>The scalar product of two rows of one length.</summary>
    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var lanes = Filled(0f);
        for (var i = 0; i < a.Length; i++)
        {
            lanes[i % Lanes] = MathF.FusedMultiplyAdd(a[i], b[i], lanes[i % Lanes]);
        }

        return Halve(lanes, (x, y) => x + y);
    }

    private static float Larger(float a, float b) => a > b ? a : b;

    private static float[] Filled(float identity)
    {
        var lanes = new float[Lanes];
        Array.Fill(lanes, identity);
        return lanes;
    }

    private static float Halve(float[] lanes, Func<float, float, float> combine)
    {
        for (var half = Lanes / 2; half >= 1; half /= 2)
        {
            for (var i = 0; i < half; i++)
            {
                lanes[i] = combine(lanes[i], lanes[i + half]);
            }
        }

        return lanes[0];
    }
}
