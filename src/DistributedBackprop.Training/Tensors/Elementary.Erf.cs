using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

public static partial class Elementary
{
    /// <summary>Below it the odd polynomial is the more accurate, above it the complement.</summary>
    private const float ErfSplit = 0.9277f;

    /// <summary>
    /// With a = |x|: a + a·P(a²) below 0.9277, else 1 − exp(a·Q(a) − a); then the sign of x. P fits erf(x)/x − 1 and Q
    /// fits ln(erfc(x))/x + 1 with least relative error in erf, by Remez's exchange algorithm (E. Remez, 1934) at 40
    /// digits, the coefficients rounded to float32 one after the other from the lowest order.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Erf(Vector256<float> x)
    {
        var sign = x & SignBit;
        var a = x ^ sign;

        var z = a * a;
        var p = Fma(Vector256.Create(7.995286432560533e-05f), z, -8.049544994719326e-4f);
        p = Fma(p, z, 5.192393437027931e-3f);
        p = Fma(p, z, -2.6855729520320892e-2f);
        p = Fma(p, z, 0.11283625662326813f);
        p = Fma(p, z, -0.3761262893676758f);
        p = Fma(p, z, 0.12837916612625122f);
        var near = Vector256.FusedMultiplyAdd(a, p, a);

        // From 4 on erf is 1 in float32; Q was fitted up to there.
        var t = Vector256.ConditionalSelect(Vector256.GreaterThan(a, Vector256.Create(4f)), Vector256.Create(4f), a);
        var q = Fma(Vector256.Create(-1.1523168723215349e-05f), t, 3.257323696743697e-4f);
        q = Fma(q, t, -3.6543982569128275e-3f);
        q = Fma(q, t, 2.378738485276699e-2f);
        q = Fma(q, t, -0.10626635700464249f);
        q = Fma(q, t, -0.6351334452629089f);
        q = Fma(q, t, -0.1286529004573822f);
        var far = Vector256<float>.One - Exp(Vector256.FusedMultiplyAdd(q, t, -t));
        return Vector256.ConditionalSelect(Vector256.LessThan(a, Vector256.Create(ErfSplit)), near, far) | sign;
    }
}
