using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>Applies a function to each element: any activation but softmax.</summary>
public sealed class ActivationLayer : Layer
{
    private readonly ElementFunction _function;

    /// <summary>Makes the layer.</summary>
    /// <param name="input">The shape of its input, and of its output, for one example.</param>
    /// <param name="activation">Which function.</param>
    public ActivationLayer(Shape input, Activation activation)
    {
        ArgumentNullException.ThrowIfNull(activation);
        OutputShape = input;
        var name = activation.Function.ToString();
        Kind = char.ToLowerInvariant(name[0]) + name[1..];
        _function = ElementFunction.Of(activation);
    }

    /// <inheritdoc/>
    public override string Kind { get; }

    /// <inheritdoc/>
    public override Shape OutputShape { get; }

    /// <inheritdoc/>
    public override (Tensor Output, Pullback? Pullback) Forward(
        Parameters parameters, ReadOnlySpan<Tensor> inputs, in ForwardPass pass)
    {
        var output = Tensor.Rent(pass.Workspace.Pool, inputs[0].Shape);
        inputs[0].Floats.CopyTo(output.Floats);
        _function.Apply(output.Floats);
        return (output, pass.IsTraining ? new Way(_function, _function.KeepsOutput ? output : inputs[0]) : null);
    }

    private sealed class Way(ElementFunction function, Tensor kept) : Pullback
    {
        private readonly Tensor _kept = kept.Share();

        public override bool TryWriteDerivative(Span<float> derivative)
        {
            function.WriteDerivative(_kept.Floats, derivative);
            return true;
        }

        public override void Apply(Tensor delta, in BackwardPass pass, Span<Tensor?> inputDeltas)
        {
            inputDeltas[0] = null;
            if (pass.InputDeltaWanted.Span[0])
            {
                delta = delta.ToSole();
                function.Pull(_kept.Floats, delta.Floats);
                inputDeltas[0] = delta;
            }
            else
            {
                delta.Dispose();
            }
        }

        protected override void Dispose(bool disposing) => _kept.Dispose();
    }
}
