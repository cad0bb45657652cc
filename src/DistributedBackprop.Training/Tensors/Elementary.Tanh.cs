using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

public static partial class Elementary
{
    private static Vector256<float> SignBit => Vector256.Create(-0f);

    /// <summary>
    /// With a = |x|: a + a³·P(a²) below 0.625, else 1 − 2/(exp(2a) + 1); then the sign of x. Split and polynomial:
    /// Cephes, <c>tanhf</c> (S. L. Moshier).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Tanh(Vector256<float> x)
    {
        var sign = x & SignBit;
        var a = x ^ sign;
        var z = a * a;
        var p = Fma(Vector256.Create(-5.70498872745e-3f), z, 2.06390887954e-2f);
        p = Fma(p, z, -5.37397155531e-2f);
        p = Fma(p, z, 1.33314422036e-1f);
        p = Fma(p, z, -3.33332819422e-1f);
        var near = Vector256.FusedMultiplyAdd(a * z, p, a);
        var far = Vector256<float>.One - Vector256.Create(2f) / (Exp(a + a) + Vector256<float>.One);
        return Vector256.ConditionalSelect(Vector256.LessThan(a, Vector256.Create(0.625f)), near, far) | sign;
    }
}
