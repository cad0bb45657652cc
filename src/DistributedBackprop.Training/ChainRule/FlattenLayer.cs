using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>Lays an example's axes out as one. No element moves: input and output share their memory.</summary>
/// <param name="input">The shape of its input for one example.</param>
public sealed class FlattenLayer(Shape input) : Layer
{
    /// <inheritdoc/>
    public override string Kind => "flatten";

    /// <inheritdoc/>
    public override Shape OutputShape { get; } = new(input.Length);

    /// <inheritdoc/>
    public override (Tensor Output, Pullback? Pullback) Forward(
        Parameters parameters, ReadOnlySpan<Tensor> inputs, in ForwardPass pass) =>
        (inputs[0].Share(OutputShape.Stacked(inputs[0].Shape[0])), pass.IsTraining ? new Way(inputs[0].Shape) : null);

    private sealed class Way(Shape inputShape) : Pullback
    {
        public override void Apply(Tensor delta, in BackwardPass pass, Span<Tensor?> inputDeltas)
        {
            inputDeltas[0] = pass.InputDeltaWanted.Span[0] ? delta.Share(inputShape) : null;
            delta.Dispose();
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
