using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>Softmax along the last axis: pᵢ = eˣⁱ / Σ eˣʲ, with δxᵢ = pᵢ·(δᵢ − Σ δⱼ·pⱼ).</summary>
/// <param name="input">The shape of its input, and of its output, for one example, at least one axis.</param>
public sealed class SoftmaxLayer(Shape input) : Layer
{
    /// <inheritdoc/>
    public override string Kind => "softmax";

    /// <inheritdoc/>
    public override Shape OutputShape { get; } = input;

    /// <inheritdoc/>
    public override (Tensor Output, Pullback? Pullback) Forward(
        Parameters parameters, ReadOnlySpan<Tensor> inputs, in ForwardPass pass)
    {
        var output = Tensor.Rent(pass.Workspace.Pool, inputs[0].Shape);
        inputs[0].Floats.CopyTo(output.Floats);
        var row = OutputShape[^1];
        SoftmaxKernels.Softmax(output.Floats, output.Floats, row);
        return (output, pass.IsTraining ? new Way(output, row) : null);
    }

    private sealed class Way(Tensor output, int row) : Pullback
    {
        private readonly Tensor _output = output.Share();

        public override void Apply(Tensor delta, in BackwardPass pass, Span<Tensor?> inputDeltas)
        {
            inputDeltas[0] = null;
            if (!pass.InputDeltaWanted.Span[0])
            {
                delta.Dispose();
                return;
            }

            delta = delta.ToSole();
            SoftmaxKernels.SoftmaxPullback(_output.Floats, delta.Floats, row);
            inputDeltas[0] = delta;
        }

        protected override void Dispose(bool disposing) => _output.Dispose();
    }
}
