namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// The transcendental functions of double, made of exactly rounded operations only, so that they have the same bits on
/// every machine: for learning rates, bias corrections and normally distributed numbers. Polynomials: fdlibm 5.3
/// (Sun Microsystems). At most 1 ulp off, unless said.
/// </summary>
public static class ElementaryDouble
{
    /// <summary>The largest |x| that <see cref="Sin"/> and <see cref="Cos"/> take.</summary>
    public const double LargestAngle = 1e9;

    private const double Ln2High = 6.93147180369123816490e-01;
    private const double Ln2Low = 1.90821492927058770002e-10;

    /// <summary>Added to |x| ≤ 2⁵¹ it rounds x to the nearest integer (ties to even), which is then in the low bits.</summary>
    private const double RoundingShift = 6755399441055744.0; // 1.5·2⁵²

    /// <summary>eˣ. Above 709.79 it is +∞, below −745.14 it is +0; of NaN it is NaN.</summary>
    public static double Exp(double x)
    {
        if (!(x <= 710.0))
        {
            return x > 710.0 ? double.PositiveInfinity : double.NaN;
        }

        if (x < -746.0)
        {
            return 0.0;
        }

        var n = x * 1.44269504088896338700 + RoundingShift - RoundingShift;
        var high = x - n * Ln2High;
        var low = n * Ln2Low;
        var r = high - low;
        var t = r * r;
        var c = r - t * (1.66666666666666019037e-01 + t * (-2.77777777770155933842e-03
            + t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
        var y = 1.0 - (low - r * c / (2.0 - c) - high);

        // 2ⁿ in two factors: for n = 1024 and for denormal results one of them is no double. The first product is exact.
        var exponent = (int)n;
        var half = exponent >> 1;
        return y * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    /// <summary>The natural logarithm. Of ±0 it is −∞, of negative numbers and NaN it is NaN.</summary>
    public static double Log(double x)
    {
        if (!(x > 0.0) || double.IsPositiveInfinity(x))
        {
            return x == 0.0 ? double.NegativeInfinity : x > 0.0 ? x : double.NaN;
        }

        var scaled = x < 2.2250738585072014e-308 ? x * 18014398509481984.0 : x; // 2⁵⁴: a denormal becomes normal
        var bits = BitConverter.DoubleToInt64Bits(scaled) - SqrtHalfBits;
        var e = (double)((bits >> 52) - (x < 2.2250738585072014e-308 ? 54 : 0));
        var f = BitConverter.Int64BitsToDouble((bits & 0x000FFFFFFFFFFFFF) + SqrtHalfBits) - 1.0;

        // ln(1 + f) = f − ½f² + s·(½f² + R(s²)) with s = f/(2 + f).
        var s = f / (2.0 + f);
        var z = s * s;
        var w = z * z;
        var even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
        var odd = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01
            + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
        var halfSquare = 0.5 * f * f;
        return e * Ln2High - (halfSquare - (s * (halfSquare + (even + odd)) + e * Ln2Low) - f);
    }

    /// <summary>
    /// The sine of x radians, at most 2 ulp off; odd, and −0 stays −0. Beyond ±<see cref="LargestAngle"/> and of NaN it
    /// is NaN.
    /// </summary>
    public static double Sin(double x) => x == 0.0 ? x : OfQuarter(x, 0);

    /// <summary>
    /// The cosine of x radians, at most 2 ulp off. Beyond ±<see cref="LargestAngle"/> and of NaN it is NaN.
    /// </summary>
    public static double Cos(double x) => OfQuarter(x, 1);

    /// <summary>
    /// bᵗ by squaring, from the lowest bit of t: r ← 1; while t > 0: r ← r·b where the bit is set, b ← b·b. Of t = 0 it
    /// is 1. The order of the products is part of the bits.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">t is negative.</exception>
    public static double PowerBySquaring(double b, long t)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(t);
        var result = 1.0;
        for (; t > 0; t >>= 1)
        {
            if ((t & 1) != 0)
            {
                result *= b;
            }

            b *= b;
        }

        return result;
    }

    /// <summary>The bits of √½: mantissas are taken from [√½, √2).</summary>
    private const long SqrtHalfBits = 0x3FE6A09E667F3BCD;

    /// <summary>sin(x + shift·π/2), by x = n·π/2 + r + tail, |r| ≤ π/4.</summary>
    private static double OfQuarter(double x, int shift)
    {
        if (!(x is >= -LargestAngle and <= LargestAngle))
        {
            return double.NaN;
        }

        // π/2 is a sum of three doubles. With fused multiply-adds the first subtraction is exact; what the second one
        // rounds away is the tail, which matters where x is close to a zero.
        var n = x * 6.36619772367581382433e-01 + RoundingShift - RoundingShift;
        var first = Math.FusedMultiplyAdd(n, -1.5707963267948966, x);
        var product = n * 6.123233995736766e-17;
        var productTail = Math.FusedMultiplyAdd(n, 6.123233995736766e-17, -product);
        var r = first - product;
        var tail = first - r - product - productTail - n * -1.4973849048591698e-33;
        var quarter = (int)((long)n + shift) & 3;
        var y = (quarter & 1) == 0 ? SinReduced(r, tail) : CosReduced(r, tail);
        return (quarter & 2) == 0 ? y : -y;
    }

    /// <summary>sin(x + tail) for |x| ≤ π/4: fdlibm's <c>__kernel_sin</c>.</summary>
    private static double SinReduced(double x, double tail)
    {
        var z = x * x;
        var v = z * x;
        var r = 8.33333333332248946124e-03 + z * (-1.98412698298579493134e-04 + z * (2.75573137070700676789e-06
            + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)));
        return x - (z * (0.5 * tail - v * r) - tail - v * -1.66666666666666324348e-01);
    }

    /// <summary>cos(x + tail) for |x| ≤ π/4: fdlibm's <c>__kernel_cos</c>, as FreeBSD's libm has it.</summary>
    private static double CosReduced(double x, double tail)
    {
        var z = x * x;
        var r = z * (4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03 + z * (2.48015872894767294178e-05
            + z * (-2.75573143513906633035e-07 + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
        var half = 0.5 * z;
        var w = 1.0 - half;
        return w + (1.0 - w - half + (z * r - x * tail));
    }

    private static double PowerOfTwo(int n) => BitConverter.Int64BitsToDouble((long)(n + 1023) << 52);
}
