namespace DistributedBackprop.Training.Tests.Tensors;

/// <summary>What is right, in double; and how far a float32 is from it.</summary>
internal static class Reference
{
    /// <summary>erf, by the series e^(−x²)·2/√π·Σ 2ⁿx²ⁿ⁺¹/(2n+1)!! of positive terms (Abramowitz, Stegun 7.1.6).</summary>
    public static double Erf(double x)
    {
        if (!(Math.Abs(x) < 6))
        {
            return double.IsNaN(x) ? x : Math.Sign(x);
        }

        var term = x;
        var sum = x;
        for (var n = 1; Math.Abs(term) > Math.Abs(sum) * 1e-17; n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    public static double Gelu(double x) => 0.5 * x * (1 + Erf(x * Math.Sqrt(0.5)));

    public static double GeluTanh(double x) =>
        0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));

    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>The distance in units of the last place that a float32 of the exact value's size has.</summary>
    public static double Ulps(float actual, double exact)
    {
        if (float.IsNaN(actual) || double.IsNaN(exact))
        {
            return float.IsNaN(actual) && double.IsNaN(exact) ? 0 : double.PositiveInfinity;
        }

        var nearest = (float)exact;
        if (float.IsInfinity(actual) || float.IsInfinity(nearest))
        {
            return actual == nearest ? 0 : double.PositiveInfinity;
        }

        var exponent = nearest == 0 ? -126 : Math.Max(Math.ILogB(nearest), -126);
        return Math.Abs(actual - exact) / Math.ScaleB(1, exponent - 23);
    }

    /// <summary>The distance in units of the last place of a double, for normal values.</summary>
    public static double Ulps(double actual, double exact) =>
        actual == exact ? 0 : Math.Abs(actual - exact) / (Math.BitIncrement(Math.Abs(exact)) - Math.Abs(exact));

    /// <summary>Both signs, every exponent, with mantissas spread over it; zeros, denormals, infinities and NaN.</summary>
    public static IEnumerable<float> FloatsOfAllExponents(int perExponent)
    {
        for (var exponent = 0; exponent <= 255; exponent++)
        {
            for (var i = 0; i < perExponent; i++)
            {
                // An odd stride visits mantissas of all kinds; the first and the last one are always there.
                var mantissa = i == perExponent - 1 ? 0x7FFFFF : (int)(i * 0x9E3779B1L % 0x800000);
                var bits = (exponent << 23) | mantissa;
                yield return BitConverter.Int32BitsToSingle(bits);
                yield return BitConverter.Int32BitsToSingle(bits | int.MinValue);
            }
        }
    }

    /// <summary>Bits with NaN as one value, whatever its sign and payload.</summary>
    public static int Bits(float x) => BitConverter.SingleToInt32Bits(float.IsNaN(x) ? float.NaN : x);
}
