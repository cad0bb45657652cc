using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// The transcendental functions of float32, made of addition, subtraction, multiplication, division, fused
/// multiply-add, comparison and bit operations only. Those are exactly rounded by IEEE 754, so the results have the
/// same bits on every machine, in every lane, for every length of a span and for a single number; the functions of the
/// runtime's own library do not promise that.
/// <para>
/// Every function returns the quiet NaN <see cref="float.NaN"/> for NaN, and takes and returns denormals. In the span
/// versions source and destination are the same span or do not overlap; they throw <see cref="ArgumentException"/>
/// where the lengths differ.
/// </para>
/// </summary>
public static partial class Elementary
{
    /// <summary>Added to |x| ≤ 2²² it rounds x to the nearest integer (ties to even), which is then in the low bits.</summary>
    private const float RoundingShift = 12582912f; // 1.5·2²³

    /// <summary>eˣ, at most 1.1 ulp off. Above 88.7228 it is +∞, below −103.97 it is +0.</summary>
    public static float Exp(float x) => Exp(Vector256.Create(x)).ToScalar();

    /// <summary>eˣ of every element.</summary>
    public static void Exp(ReadOnlySpan<float> source, Span<float> destination) =>
        Elementwise.Map(default(ExpMap), source, destination);

    /// <summary>The natural logarithm, at most 1 ulp off. Of ±0 it is −∞, of negative numbers NaN.</summary>
    public static float Log(float x) => Log(Vector256.Create(x)).ToScalar();

    /// <summary>The natural logarithm of every element.</summary>
    public static void Log(ReadOnlySpan<float> source, Span<float> destination) =>
        Elementwise.Map(default(LogMap), source, destination);

    /// <summary>The hyperbolic tangent, at most 2 ulp off; odd, and −0 stays −0.</summary>
    public static float Tanh(float x) => Tanh(Vector256.Create(x)).ToScalar();

    /// <summary>The hyperbolic tangent of every element.</summary>
    public static void Tanh(ReadOnlySpan<float> source, Span<float> destination) =>
        Elementwise.Map(default(TanhMap), source, destination);

    /// <summary>The error function 2/√π·∫₀ˣ exp(−t²)dt, at most 2 ulp off; odd, and −0 stays −0.</summary>
    public static float Erf(float x) => Erf(Vector256.Create(x)).ToScalar();

    /// <summary>The error function of every element.</summary>
    public static void Erf(ReadOnlySpan<float> source, Span<float> destination) =>
        Elementwise.Map(default(ErfMap), source, destination);

    /// <summary>
    /// The sine of x radians, at most 2 ulp off for |x| ≤ 10⁴; odd, and −0 stays −0. From there to 2²² it is
    /// at most 6 ulp off, beyond it is ±0: neighbouring floats are then half a radian apart. Of ±∞ it is NaN.
    /// </summary>
    public static float Sin(float x) => Sin(Vector256.Create(x)).ToScalar();

    /// <summary>The sine of every element.</summary>
    public static void Sin(ReadOnlySpan<float> source, Span<float> destination) =>
        Elementwise.Map(default(SinMap), source, destination);

    /// <summary>
    /// The cosine of x radians, at most 2 ulp off for |x| ≤ 10⁴. From there to 2²² it is at most 6 ulp off, beyond
    /// it is 1: neighbouring floats are then half a radian apart. Of ±∞ it is NaN.
    /// </summary>
    public static float Cos(float x) => Cos(Vector256.Create(x)).ToScalar();

    /// <summary>The cosine of every element.</summary>
    public static void Cos(ReadOnlySpan<float> source, Span<float> destination) =>
        Elementwise.Map(default(CosMap), source, destination);

    /// <summary>a·b + c with one rounding, c the same in every lane: a step of Horner's rule.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Fma(Vector256<float> a, Vector256<float> b, float c) =>
        Vector256.FusedMultiplyAdd(a, b, Vector256.Create(c));

    private readonly struct ExpMap : IElementwiseMap
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> x) => Exp(x);
    }

    private readonly struct LogMap : IElementwiseMap
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> x) => Log(x);
    }

    private readonly struct TanhMap : IElementwiseMap
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> x) => Tanh(x);
    }

    private readonly struct ErfMap : IElementwiseMap
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> x) => Erf(x);
    }

    private readonly struct SinMap : IElementwiseMap
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> x) => Sin(x);
    }

    private readonly struct CosMap : IElementwiseMap
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> x) => Cos(x);
    }
}
