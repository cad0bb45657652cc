using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

public static partial class Elementary
{
    /// <summary>The bits of √½: the mantissas are taken from [√½, √2).</summary>
    private const int SqrtHalfBits = 0x3F3504F3;

    private const int MantissaBits = 0x007FFFFF;

    /// <summary>
    /// ln(2ᵉ·(1 + f)) = e·ln 2 + f − ½f² + f³·P(f). Polynomial and the two parts of ln 2: Cephes, <c>logf</c>
    /// (S. L. Moshier).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Log(Vector256<float> x)
    {
        // A denormal has its exponent in the mantissa's leading zeros: scaled by 2²³ it is normal.
        var denormal = Vector256.LessThan(x, Vector256.Create(1.17549435e-38f));
        var normal = Vector256.ConditionalSelect(denormal, x * Vector256.Create(8388608f), x);
        var bits = normal.AsInt32() - Vector256.Create(SqrtHalfBits);
        var exponent = (bits >> 23) + (denormal.AsInt32() & Vector256.Create(-23));
        var f = ((bits & Vector256.Create(MantissaBits)) + Vector256.Create(SqrtHalfBits)).AsSingle()
            - Vector256<float>.One;
        var e = Vector256.ConvertToSingle(exponent);

        var p = Fma(Vector256.Create(7.0376836292e-2f), f, -1.1514610310e-1f);
        p = Fma(p, f, 1.1676998740e-1f);
        p = Fma(p, f, -1.2420140846e-1f);
        p = Fma(p, f, 1.4249322787e-1f);
        p = Fma(p, f, -1.6668057665e-1f);
        p = Fma(p, f, 2.0000714765e-1f);
        p = Fma(p, f, -2.4999993993e-1f);
        p = Fma(p, f, 3.3333331174e-1f);
        var y = p * (f * f) * f;
        y = Vector256.FusedMultiplyAdd(e, Vector256.Create(-2.12194440e-4f), y);
        y = Vector256.FusedMultiplyAdd(f * Vector256.Create(-0.5f), f, y) + f;
        y = Vector256.FusedMultiplyAdd(e, Vector256.Create(0.693359375f), y);

        y = Vector256.ConditionalSelect(
            Vector256.Equals(x, Vector256.Create(float.PositiveInfinity)), Vector256.Create(float.PositiveInfinity), y);
        y = Vector256.ConditionalSelect(
            Vector256.Equals(x, Vector256<float>.Zero), Vector256.Create(float.NegativeInfinity), y);
        return Vector256.ConditionalSelect(
            Vector256.GreaterThanOrEqual(x, Vector256<float>.Zero), y, Vector256.Create(float.NaN));
    }
}
