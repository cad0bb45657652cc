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
        var row = OutputShape[OutputShape.Rank - 1];
        for (var rest = output.Floats; rest.Length > 0; rest = rest[row..])
        {
            RowReductions.Softmax(rest[..row]);
        }

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
            for (var start = 0; start < delta.Length; start += row)
            {
                RowReductions.SoftmaxPullback(_output.Floats.Slice(start, row), delta.Floats.Slice(start, row));
            }

            inputDeltas[0] = delta;
        }

        protected override void Dispose(bool disposing) => _output.Dispose();
    }
}
