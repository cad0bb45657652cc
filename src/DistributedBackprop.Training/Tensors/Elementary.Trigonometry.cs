using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

public static partial class Elementary
{
    /// <summary>The largest |x| whose quarter turns still fit the rounding shift.</summary>
    private const float LargestAngle = 4194304f; // 2²²

    /// <summary>sin x = ±sin r or ±cos r by the quarter turn; odd in x by its sign bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Sin(Vector256<float> x)
    {
        var sign = x & SignBit;
        var (r, quarter) = ReduceByQuarterTurns(x ^ sign);
        return OnlyFinite(x, OfQuarter(r, quarter) ^ sign);
    }

    /// <summary>cos x = sin(x + a quarter turn).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Cos(Vector256<float> x)
    {
        var (r, quarter) = ReduceByQuarterTurns(x & ~SignBit);
        return OnlyFinite(x, OfQuarter(r, quarter + Vector256<int>.One));
    }

    /// <summary>
    /// a = n·π/2 + r with n = round(a·2/π), |r| ≤ π/4 (W. J. Cody, W. Waite, Software Manual for the Elementary
    /// Functions, 1980). π/2 is the sum of three floats; with fused multiply-adds the first subtraction is exact.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Remainder, Vector256<int> Quarter) ReduceByQuarterTurns(Vector256<float> a)
    {
        a = Vector256.ConditionalSelect(
            Vector256.GreaterThan(a, Vector256.Create(LargestAngle)), Vector256<float>.Zero, a);
        var shift = Vector256.Create(RoundingShift);
        var shifted = Vector256.FusedMultiplyAdd(a, Vector256.Create(0.636619747f), shift);
        var n = shifted - shift;
        var r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-1.57079637f), a);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(4.37113883e-8f), r);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(1.71512451e-15f), r);
        return (r, shifted.AsInt32() - shift.AsInt32());
    }

    /// <summary>sin(r + quarter·π/2). Polynomials on |r| ≤ π/4: Cephes, <c>sinf</c> and <c>cosf</c> (S. L. Moshier).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> OfQuarter(Vector256<float> r, Vector256<int> quarter)
    {
        var z = r * r;
        var s = Fma(Vector256.Create(-1.9515295891e-4f), z, 8.3321608736e-3f);
        s = Fma(s, z, -1.6666654611e-1f);
        var sine = Vector256.FusedMultiplyAdd(r * z, s, r);

        var c = Fma(Vector256.Create(2.443315711809948e-5f), z, -1.388731625493765e-3f);
        c = Fma(c, z, 4.166664568298827e-2f);
        var cosine = Vector256.FusedMultiplyAdd(z * z, c, Fma(z, Vector256.Create(-0.5f), 1f));

        var odd = Vector256.Equals(quarter & Vector256<int>.One, Vector256<int>.One).AsSingle();
        var negative = ((quarter & Vector256.Create(2)) << 30).AsSingle();
        return Vector256.ConditionalSelect(odd, cosine, sine) ^ negative;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> OnlyFinite(Vector256<float> x, Vector256<float> y) => Vector256.ConditionalSelect(
        Vector256.LessThan(x & ~SignBit, Vector256.Create(float.PositiveInfinity)), y, Vector256.Create(float.NaN));
}
