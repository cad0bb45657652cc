using System.Collections.Immutable;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>Joins its inputs along an axis; each input's delta is its part of the output's.</summary>
public sealed class ConcatLayer : Layer
{
    // What lies between two steps along the joined axis, times the input's length along it.
    private readonly ImmutableArray<int> _runs;

    /// <summary>Makes the layer.</summary>
    /// <param name="inputs">The shapes of the inputs for one example: equal but for the joined axis.</param>
    /// <param name="axis">The joined axis, counted with the batch as axis 0.</param>
    public ConcatLayer(IReadOnlyList<Shape> inputs, int axis)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var first = inputs[0];
        var inner = first.Axes[axis..].Aggregate(1, (product, length) => product * length);
        _runs = [.. inputs.Select(input => input[axis - 1] * inner)];
        OutputShape = new Shape([.. first.Axes[..(axis - 1)], inputs.Sum(input => input[axis - 1]), .. first.Axes[axis..]]);
    }

    /// <inheritdoc/>
    public override string Kind => "concat";

    /// <inheritdoc/>
    public override Shape OutputShape { get; }

    /// <inheritdoc/>
    public override (Tensor Output, Pullback? Pullback) Forward(
        Parameters parameters, ReadOnlySpan<Tensor> inputs, in ForwardPass pass)
    {
        var output = Tensor.Rent(pass.Workspace.Pool, OutputShape.Stacked(inputs[0].Shape[0]));
        var joined = _runs.Sum();
        var offset = 0;
        for (var input = 0; input < inputs.Length; input++)
        {
            var run = _runs[input];
            CopyRuns(inputs[input].Floats, run, 0, output.Floats, joined, offset, run);
            offset += run;
        }

        return (output, pass.IsTraining ? new Way(this, inputs) : null);
    }

    private static void CopyRuns(
        ReadOnlySpan<float> source, int sourceStride, int sourceStart, Span<float> target, int targetStride, int targetStart, int run)
    {
        for (; sourceStart + run <= source.Length && targetStart + run <= target.Length && run > 0;
             sourceStart += sourceStride, targetStart += targetStride)
        {
            source.Slice(sourceStart, run).CopyTo(target[targetStart..]);
        }
    }

    private sealed class Way(ConcatLayer layer, ReadOnlySpan<Tensor> inputs) : Pullback
    {
        private readonly KeptInputs _inputs = new(inputs);

        public override bool? IsInputFinite(int input) => _inputs.IsFinite(input);

        public override void Apply(Tensor delta, in BackwardPass pass, Span<Tensor?> inputDeltas)
        {
            var joined = layer._runs.Sum();
            var offset = 0;
            for (var input = 0; input < inputDeltas.Length; input++)
            {
                inputDeltas[input] = null;
                var run = layer._runs[input];
                if (pass.InputDeltaWanted.Span[input])
                {
                    var part = Tensor.Rent(pass.Workspace.Pool, _inputs.ShapeOf(input));
                    CopyRuns(delta.Floats, joined, offset, part.Floats, run, 0, run);
                    inputDeltas[input] = part;
                }

                offset += run;
            }

            delta.Dispose();
        }

        protected override void Dispose(bool disposing) => _inputs.Dispose();
    }
}
