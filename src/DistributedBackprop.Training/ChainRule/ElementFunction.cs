using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// A function of each element alone, with its derivative. The formulas and the order of their operations are those of
/// the decisions in <c>src/README.md</c>; <see cref="ActivationKernels"/> computes them.
/// </summary>
internal abstract class ElementFunction
{
    /// <summary>Whether the derivative follows from the function's value; if not, it wants the argument.</summary>
    public virtual bool KeepsOutput => true;

    /// <summary>The function of an activation other than softmax, which is none of elements alone.</summary>
    public static ElementFunction Of(Activation activation) => activation.Function switch
    {
        ActivationFunction.Relu => new Relu(),
        ActivationFunction.LeakyRelu => new LeakyRelu((float)activation.Slope),
        ActivationFunction.Sigmoid => new Sigmoid(),
        ActivationFunction.Tanh => new Tanh(),
        ActivationFunction.Gelu => new Gelu(),
        ActivationFunction.GeluTanh => new GeluTanh(),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation.Function, "This is no function of elements alone."),
    };

    /// <summary>Replaces each element by its value.</summary>
    public abstract void Apply(Span<float> values);

    /// <summary>Replaces each delta at the value by the delta at the argument.</summary>
    /// <param name="kept">The values where <see cref="KeepsOutput"/>, else the arguments.</param>
    /// <param name="delta">∂loss/∂value, becomes ∂loss/∂argument.</param>
    public abstract void Pull(ReadOnlySpan<float> kept, Span<float> delta);

    /// <summary>The derivative at each element: what a delta of 1 becomes.</summary>
    /// <param name="kept">The values where <see cref="KeepsOutput"/>, else the arguments.</param>
    /// <param name="derivative">Receives it.</param>
    public void WriteDerivative(ReadOnlySpan<float> kept, Span<float> derivative)
    {
        derivative.Fill(1);
        Pull(kept, derivative);
    }
}

internal sealed class Relu : ElementFunction
{
    public override void Apply(Span<float> values) => ActivationKernels.Relu(values);

    public override void Pull(ReadOnlySpan<float> kept, Span<float> delta) => ActivationKernels.ReluPullback(kept, delta);
}

internal sealed class LeakyRelu(float slope) : ElementFunction
{
    public override void Apply(Span<float> values) => ActivationKernels.LeakyRelu(values, slope);

    public override void Pull(ReadOnlySpan<float> kept, Span<float> delta) =>
        ActivationKernels.LeakyReluPullback(kept, delta, slope);
}

internal sealed class Sigmoid : ElementFunction
{
    public override void Apply(Span<float> values) => ActivationKernels.Sigmoid(values);

    public override void Pull(ReadOnlySpan<float> kept, Span<float> delta) => ActivationKernels.SigmoidPullback(kept, delta);
}

internal sealed class Tanh : ElementFunction
{
    public override void Apply(Span<float> values) => ActivationKernels.Tanh(values);

    public override void Pull(ReadOnlySpan<float> kept, Span<float> delta) => ActivationKernels.TanhPullback(kept, delta);
}

internal sealed class Gelu : ElementFunction
{
    public override bool KeepsOutput => false;

    public override void Apply(Span<float> values) => ActivationKernels.Gelu(values);

    public override void Pull(ReadOnlySpan<float> kept, Span<float> delta) => ActivationKernels.GeluPullback(kept, delta);
}

internal sealed class GeluTanh : ElementFunction
{
    public override bool KeepsOutput => false;

    public override void Apply(Span<float> values) => ActivationKernels.GeluTanh(values);

    public override void Pull(ReadOnlySpan<float> kept, Span<float> delta) => ActivationKernels.GeluTanhPullback(kept, delta);
}
