using CsCheck;
using DistributedBackprop.Training.Tensors;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Training.Tests.Tensors;

public class ActivationKernelsTests
{
    private const float Slope = 0.01f;

    private delegate void Forward(Span<float> values);

    private delegate void Back(ReadOnlySpan<float> known, Span<float> delta);

    /// <summary>
    /// An activation under test. Plain and PlainDerivative are the formulas one operation after the other; the latter
    /// takes x, y and δ.
    /// </summary>
    private sealed record Activation(
        Forward Forward,
        Back Back,
        bool BackFromInput,
        Func<float, float> Plain,
        Func<float, float, float, float> PlainBack,
        Func<double, double> Exact);

    private static readonly Dictionary<string, Activation> _activations = new()
    {
        ["relu"] = new(
            ActivationKernels.Relu,
            ActivationKernels.ReluPullback,
            false,
            x => x <= 0 ? 0f : x,
            (_, y, d) => y <= 0 ? 0f : d,
            x => Math.Max(x, 0)),
        ["leakyRelu"] = new(
            v => ActivationKernels.LeakyRelu(v, Slope),
            (y, d) => ActivationKernels.LeakyReluPullback(y, d, Slope),
            false,
            x => x > 0 ? x : Slope * x,
            (_, y, d) => y > 0 ? d : Slope * d,
            x => x > 0 ? x : Slope * x),
        ["sigmoid"] = new(
            ActivationKernels.Sigmoid,
            ActivationKernels.SigmoidPullback,
            false,
            x => 1f / (1f + PlainMath.Exp(-x)),
            (_, y, d) => d * (y * (1f - y)),
            Reference.Sigmoid),
        ["tanh"] = new(
            ActivationKernels.Tanh,
            ActivationKernels.TanhPullback,
            false,
            PlainMath.Tanh,
            (_, y, d) => d * (1f - (y * y)),
            Math.Tanh),
        ["gelu"] = new(
            ActivationKernels.Gelu,
            ActivationKernels.GeluPullback,
            true,
            x => 0.5f * x * (1f + PlainMath.Erf(x * 0.70710677f)),
            (x, _, d) => d * MathF.FusedMultiplyAdd(
                x, PlainMath.Exp(-0.5f * x * x) * 0.3989423f, 0.5f * (1f + PlainMath.Erf(x * 0.70710677f))),
            Reference.Gelu),
        ["geluTanh"] = new(
            ActivationKernels.GeluTanh,
            ActivationKernels.GeluTanhPullback,
            true,
            x => 0.5f * x * (1f + PlainHyperbolic(x)),
            (x, _, d) =>
            {
                var h = PlainHyperbolic(x);
                var du = 0.7978846f * MathF.FusedMultiplyAdd(0.134145f, x * x, 1f);
                return d * MathF.FusedMultiplyAdd(0.5f * x * (1f - (h * h)), du, 0.5f * (1f + h));
            },
            Reference.GeluTanh),
    };

    public static TheoryData<string> Names => [.. _activations.Keys];

    private static float PlainHyperbolic(float x) =>
        PlainMath.Tanh(0.7978846f * (x * MathF.FusedMultiplyAdd(0.044715f, x * x, 1f)));

    [Theory]
    [MemberData(nameof(Names))]
    public void Forward_and_pullback_are_their_formulas_bit_for_bit_at_every_length(string name)
    {
        var a = _activations[name];
        var anyFloat = Gen.Frequency((4, Gen.Single[-12f, 12f]), (1, Gen.Single), (1, Gen.OneOf(0f, -0f, float.NaN)));
        Gen.Select(anyFloat.Array[0, 40], anyFloat.Array[40]).Sample((x, deltas) =>
        {
            var y = x.ToArray();
            a.Forward(y);
            y.Select(Reference.Bits).ShouldBe(x.Select(v => Reference.Bits(a.Plain(v))));

            var delta = deltas[..x.Length];
            a.Back(a.BackFromInput ? x : y, delta);
            delta.Select(Reference.Bits).ShouldBe(x.Select((v, i) => Reference.Bits(a.PlainBack(v, y[i], deltas[i]))));
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Forward_is_the_function(string name)
    {
        var a = _activations[name];
        Gen.Single[-20f, 20f].Array[1, 40].Sample(x =>
        {
            var y = x.ToArray();
            a.Forward(y);
            for (var i = 0; i < x.Length; i++)
            {
                ((double)y[i]).ShouldBe(a.Exact(x[i]), 1e-6 + (Math.Abs(x[i]) * 2e-7), $"{name}({x[i]:R})");
            }
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_pullback_is_the_derivative(string name)
    {
        var a = _activations[name];
        const double Step = 1e-5;

        // Not at the kink of the piecewise linear ones.
        Gen.Single[-6f, 6f].Where(x => Math.Abs(x) > 2 * Step).Array[1, 40].Sample(x =>
        {
            var y = x.ToArray();
            a.Forward(y);
            var delta = Enumerable.Repeat(-1.5f, x.Length).ToArray();
            a.Back(a.BackFromInput ? x : y, delta);
            for (var i = 0; i < x.Length; i++)
            {
                var derivative = (a.Exact(x[i] + Step) - a.Exact(x[i] - Step)) / (2 * Step);
                ((double)delta[i]).ShouldBe(-1.5 * derivative, 2e-6, $"{name}'({x[i]:R})");
            }
        });
    }

    [Fact]
    public void Relu_makes_plus_zero_of_minus_zero_and_passes_NaN()
    {
        float[] x = [-0f, 0f, -1f, float.NaN, float.NegativeInfinity, float.PositiveInfinity, 1e-45f, -1e-45f, 2f];
        ActivationKernels.Relu(x);
        x.Select(BitConverter.SingleToInt32Bits).ShouldBe(
            new[] { 0f, 0f, 0f, float.NaN, 0f, float.PositiveInfinity, 1e-45f, 0f, 2f }.Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void Sums_and_scales_are_single_operations_at_every_length() =>
        Gen.Select(Gen.Single[-3f, 3f].Array[0, 40], Gen.Single[-3f, 3f].Array[40], Gen.Single[-3f, 3f]).Sample(
            (into, others, factor) =>
            {
                var from = others[..into.Length];
                var sum = into.ToArray();
                ActivationKernels.Add(sum, from);
                sum.ShouldBe(into.Select((v, i) => v + from[i]));
                ActivationKernels.Scale(sum, factor);
                sum.ShouldBe(into.Select((v, i) => (v + from[i]) * factor));
            });

    [Fact]
    public void Spans_of_different_lengths_are_refused()
    {
        Should.Throw<ArgumentException>(() => ActivationKernels.ReluPullback(new float[3], new float[4]));
        Should.Throw<ArgumentException>(() => ActivationKernels.Add(new float[3], new float[4]));
    }
}
