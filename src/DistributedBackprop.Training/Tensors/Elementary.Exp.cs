using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

public static partial class Elementary
{
    private const float Log2E = 1.44269502f;
    private const float Ln2High = 0.693147182f;
    private const float Ln2Low = -1.90465421e-9f;

    /// <summary>eˣ = 2ⁿ·eʳ with n = round(x/ln 2), |r| ≤ ½·ln 2. Polynomial: Cephes, <c>expf</c> (S. L. Moshier).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Exp(Vector256<float> x)
    {
        // Beyond these the result is +∞ and +0 anyway, and n would leave the range that two factors 2ⁿ can hold.
        var clamped = Vector256.ConditionalSelect(
            Vector256.GreaterThan(x, Vector256.Create(89f)), Vector256.Create(89f), x);
        clamped = Vector256.ConditionalSelect(
            Vector256.LessThan(clamped, Vector256.Create(-104f)), Vector256.Create(-104f), clamped);

        var shift = Vector256.Create(RoundingShift);
        var shifted = Vector256.FusedMultiplyAdd(clamped, Vector256.Create(Log2E), shift);
        var n = shifted - shift;
        var r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-Ln2High), clamped);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-Ln2Low), r);

        var p = Fma(Vector256.Create(1.9875691500e-4f), r, 1.3981999507e-3f);
        p = Fma(p, r, 8.3334519073e-3f);
        p = Fma(p, r, 4.1665795894e-2f);
        p = Fma(p, r, 1.6666665459e-1f);
        p = Fma(p, r, 5.0000001201e-1f);
        p = Vector256.FusedMultiplyAdd(p, r * r, r) + Vector256<float>.One;

        // 2ⁿ in two factors: for n = 128 and for denormal results one of them is no float. The first product is exact.
        var exponent = shifted.AsInt32() - shift.AsInt32();
        var half = exponent >> 1;
        var y = p * PowerOfTwo(half) * PowerOfTwo(exponent - half);
        return Vector256.ConditionalSelect(Vector256.Equals(x, x), y, Vector256.Create(float.NaN));
    }

    /// <summary>2ⁿ for −126 ≤ n ≤ 127, by writing the exponent's bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> PowerOfTwo(Vector256<int> n) => ((n + Vector256.Create(127)) << 23).AsSingle();
}
