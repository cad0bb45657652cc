using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>Adds its inputs in order; the delta of the sum is the delta of each.</summary>
/// <param name="input">The shape of every input, and of the output, for one example.</param>
public sealed class AddLayer(Shape input) : Layer
{
    /// <inheritdoc/>
    public override string Kind => "add";

    /// <inheritdoc/>
    public override Shape OutputShape { get; } = input;

    /// <inheritdoc/>
    public override (Tensor Output, Pullback? Pullback) Forward(
        Parameters parameters, ReadOnlySpan<Tensor> inputs, in ForwardPass pass)
    {
        var output = Tensor.Rent(pass.Workspace.Pool, inputs[0].Shape);
        inputs[0].Floats.CopyTo(output.Floats);
        foreach (var other in inputs[1..])
        {
            ActivationKernels.Add(output.Floats, other.Floats);
        }

        return (output, pass.IsTraining ? new Way(inputs) : null);
    }

    private sealed class Way(ReadOnlySpan<Tensor> inputs) : Pullback
    {
        private readonly KeptInputs _inputs = new(inputs);

        public override bool? IsInputFinite(int input) => _inputs.IsFinite(input);

        public override void Apply(Tensor delta, in BackwardPass pass, Span<Tensor?> inputDeltas)
        {
            for (var input = 0; input < inputDeltas.Length; input++)
            {
                inputDeltas[input] = pass.InputDeltaWanted.Span[input] ? delta.Share() : null;
            }

            delta.Dispose();
        }

        protected override void Dispose(bool disposing) => _inputs.Dispose();
    }
}
