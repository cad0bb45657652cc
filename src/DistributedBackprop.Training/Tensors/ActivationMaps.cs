using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

// The formulas of ActivationKernels on one vector, in the order of operations that the bits are defined by. A matrix
// kernel may apply the maps to its output tile while that is still in registers.

internal readonly struct ReluMap : IElementwiseMap
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> x) =>
        Vector256.AndNot(x, Vector256.LessThanOrEqual(x, Vector256<float>.Zero));
}

internal readonly struct ReluPullbackZip : IElementwiseZip
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> y, Vector256<float> delta) =>
        Vector256.AndNot(delta, Vector256.LessThanOrEqual(y, Vector256<float>.Zero));
}

internal readonly struct LeakyReluMap(float slope) : IElementwiseMap
{
    private readonly Vector256<float> _slope = Vector256.Create(slope);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> x) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(x, Vector256<float>.Zero), x, _slope * x);
}

internal readonly struct LeakyReluPullbackZip(float slope) : IElementwiseZip
{
    private readonly Vector256<float> _slope = Vector256.Create(slope);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> y, Vector256<float> delta) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(y, Vector256<float>.Zero), delta, _slope * delta);
}

internal readonly struct SigmoidMap : IElementwiseMap
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> x) =>
        Vector256<float>.One / (Vector256<float>.One + Elementary.Exp(-x));
}

internal readonly struct SigmoidPullbackZip : IElementwiseZip
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> y, Vector256<float> delta) =>
        delta * (y * (Vector256<float>.One - y));
}

internal readonly struct TanhPullbackZip : IElementwiseZip
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> y, Vector256<float> delta) =>
        delta * (Vector256<float>.One - (y * y));
}

internal readonly struct GeluMap : IElementwiseMap
{
    internal const float SqrtHalf = 0.70710677f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> x) =>
        x * 0.5f * (Vector256<float>.One + Elementary.Erf(x * SqrtHalf));
}

internal readonly struct GeluPullbackZip : IElementwiseZip
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> x, Vector256<float> delta)
    {
        var c = Elementary.Erf(x * GeluMap.SqrtHalf);
        var density = Elementary.Exp(x * -0.5f * x) * 0.3989423f;
        return delta * Vector256.FusedMultiplyAdd(x, density, (Vector256<float>.One + c) * 0.5f);
    }
}

internal readonly struct GeluTanhMap : IElementwiseMap
{
    internal const float SqrtTwoOverPi = 0.7978846f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> x) => x * 0.5f * (Vector256<float>.One + TanhOfCubic(x, x * x));

    /// <summary>tanh(√(2/π)·(x·(1 + 0.044715·x²))).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> TanhOfCubic(Vector256<float> x, Vector256<float> square)
    {
        var cubic = x * Vector256.FusedMultiplyAdd(Vector256.Create(0.044715f), square, Vector256<float>.One);
        return Elementary.Tanh(cubic * SqrtTwoOverPi);
    }
}

internal readonly struct GeluTanhPullbackZip : IElementwiseZip
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> x, Vector256<float> delta)
    {
        var square = x * x;
        var h = GeluTanhMap.TanhOfCubic(x, square);
        var slope = Vector256.FusedMultiplyAdd(Vector256.Create(0.134145f), square, Vector256<float>.One)
            * GeluTanhMap.SqrtTwoOverPi;
        var derivative = Vector256.FusedMultiplyAdd(
            x * 0.5f * (Vector256<float>.One - (h * h)), slope, (Vector256<float>.One + h) * 0.5f);
        return delta * derivative;
    }
}

internal readonly struct AddZip : IElementwiseZip
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> from, Vector256<float> into) => into + from;
}

internal readonly struct ScaleMap(float factor) : IElementwiseMap
{
    private readonly Vector256<float> _factor = Vector256.Create(factor);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Apply(Vector256<float> x) => x * _factor;
}
