using System.Collections.Immutable;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// Layers one after the other, as one layer: (g ∘ f)(x) = g(f(x)), and the pullback of the composition is the pullbacks
/// composed in reverse. This is the chain rule, written once; layer actors do the same by message.
/// </summary>
public sealed class Sequential : Layer
{
    private readonly ImmutableArray<Layer> _layers;
    private readonly ImmutableArray<(int Start, int PackedStart)> _starts;

    /// <summary>Composes layers, each of one input.</summary>
    /// <param name="layers">In the order they are applied, at least one.</param>
    public Sequential(params ImmutableArray<Layer> layers)
    {
        _layers = layers;
        var starts = ImmutableArray.CreateBuilder<(int Start, int PackedStart)>();
        var withParameters = layers.Count(layer => layer.Parameters.Length > 0);
        var slots = new List<(string Name, Shape Shape)>();
        var (start, packedStart) = (0, 0);
        for (var i = 0; i < layers.Length; i++)
        {
            starts.Add((start, packedStart));
            slots.AddRange(layers[i].Parameters.Slots.Select(slot => (withParameters > 1 ? $"{i}.{slot.Name}" : slot.Name, slot.Shape)));
            start += layers[i].Parameters.Length;
            packedStart += layers[i].PackedLength;
        }

        _starts = starts.ToImmutable();
        Parameters = new ParameterLayout(slots);
        PackedLength = packedStart;
        UpdateBlock = withParameters == 1
            ? layers.Single(layer => layer.Parameters.Length > 0).UpdateBlock
            : Math.Max(1, start);
    }

    /// <inheritdoc/>
    public override string Kind => "sequential";

    /// <inheritdoc/>
    public override Shape OutputShape => _layers[^1].OutputShape;

    /// <inheritdoc/>
    public override ParameterLayout Parameters { get; }

    /// <inheritdoc/>
    public override int PackedLength { get; }

    /// <inheritdoc/>
    public override int UpdateBlock { get; }

    /// <inheritdoc/>
    public override long WorkPerExample => _layers.Sum(layer => layer.WorkPerExample);

    /// <inheritdoc/>
    public override void Initialize(Parameters parameters, string name, long seed)
    {
        for (var i = 0; i < _layers.Length; i++)
        {
            using var part = PartOf(parameters, i);
            _layers[i].Initialize(part, name, seed);
        }
    }

    /// <inheritdoc/>
    public override void Prepare(Parameters parameters, int start, int length)
    {
        for (var i = 0; i < _layers.Length; i++)
        {
            var own = _layers[i].Parameters.Length;
            var from = Math.Max(start - _starts[i].Start, 0);
            var to = Math.Min(start + length - _starts[i].Start, own);
            if (from < to)
            {
                using var part = PartOf(parameters, i);
                _layers[i].Prepare(part, from, to - from);
            }
        }
    }

    /// <inheritdoc/>
    public override (Tensor Output, Pullback? Pullback) Forward(
        Parameters parameters, ReadOnlySpan<Tensor> inputs, in ForwardPass pass)
    {
        var pullbacks = pass.IsTraining ? new Pullback[_layers.Length] : null;
        Tensor? output = null;
        for (var i = 0; i < _layers.Length; i++)
        {
            using var part = PartOf(parameters, i);
            var input = output;
            (output, var pullback) = _layers[i].Forward(part, input is null ? inputs : [input], pass);
            input?.Dispose();
            if (pullbacks is not null)
            {
                pullbacks[i] = pullback!;
            }
        }

        return (output!, pullbacks is null ? null : new Way(this, pullbacks));
    }

    private Parameters PartOf(Parameters whole, int layer) =>
        whole.Part(_layers[layer].Parameters, _starts[layer].Start, _starts[layer].PackedStart, _layers[layer].PackedLength);

    private sealed class Way(Sequential composition, Pullback[] pullbacks) : Pullback
    {
        private static readonly ReadOnlyMemory<bool> _wanted = new[] { true };

        public override bool? IsInputFinite(int input) => pullbacks[0].IsInputFinite(input);

        public override bool TryWriteDerivative(Span<float> derivative) => pullbacks[^1].TryWriteDerivative(derivative);

        public override void Apply(Tensor delta, in BackwardPass pass, Span<Tensor?> inputDeltas)
        {
            // δ at each layer's input is δ at the output of the one before it.
            for (var i = pullbacks.Length - 1; i > 0; i--)
            {
                Tensor? next = null;
                Pull(i, delta, pass with { InputDeltaWanted = _wanted }, new Span<Tensor?>(ref next));
                delta = next!;
            }

            Pull(0, delta, pass, inputDeltas);
        }

        protected override void Dispose(bool disposing)
        {
            foreach (var pullback in pullbacks)
            {
                pullback.Dispose();
            }
        }

        private void Pull(int layer, Tensor delta, in BackwardPass pass, Span<Tensor?> inputDeltas)
        {
            using var gradient = composition.PartOf(pass.Gradient, layer);
            pullbacks[layer].Apply(delta, pass with { Gradient = gradient }, inputDeltas);
        }
    }
}
