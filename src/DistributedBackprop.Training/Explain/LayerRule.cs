using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Explain;

/// <summary>
/// The local derivative of one layer, element by element, with the numbers of one recorded example. A layer is a linear
/// part (weights, or elements passed on) and a function after it; so a delta goes back first through the function, then
/// to the inputs along the weights.
/// </summary>
public sealed class LayerRule
{
    private readonly ImmutableArray<int> _runs;

    private LayerRule(RecordedLayer layer, Graph graph)
    {
        var node = layer.Node;
        Node = node;
        Length = layer.Output.Length;
        Derivative = layer.Derivative;
        Output = layer.Output;
        Weights = layer.Before;
        var dense = node.Description.Kind as DenseKind;
        var activation = dense is null ? (node.Description.Kind as ActivationKind)?.Activation : dense.Activation;
        SoftmaxRow = activation?.Function == ActivationFunction.Softmax ? node.Layer.OutputShape[^1] : 0;
        var inputs = node.Inputs.Select(source => source < 0 ? graph.Input : graph.Nodes[source].Layer.OutputShape).ToList();
        (In, Out) = dense is null ? (0, 0) : (inputs[0][^1], dense.Units);
        HasBias = dense is { Bias: true };
        _runs = node.Description.Kind is ConcatKind concat ? [.. inputs.Select(input => RunOf(input, concat.Axis))] : [];
    }

    /// <summary>The layer.</summary>
    public GraphNode Node { get; }

    /// <summary>Elements of the output.</summary>
    public int Length { get; }

    /// <summary>Inputs of one row where there are weights; else 0.</summary>
    public int In { get; }

    /// <summary>Outputs of one row where there are weights; else 0.</summary>
    public int Out { get; }

    /// <summary>Whether there are weights.</summary>
    public bool IsDense => Out > 0;

    /// <summary>Whether there is a bias.</summary>
    public bool HasBias { get; }

    /// <summary>Rows that the weights are applied to.</summary>
    public int Rows => IsDense ? Length / Out : 1;

    /// <summary>f′ of each output element; null where the function is none, or a softmax.</summary>
    public float[]? Derivative { get; }

    /// <summary>Elements that one softmax is over; 0 where there is none.</summary>
    public int SoftmaxRow { get; }

    /// <summary>The parameters, weight before bias: <c>w[o, k]</c> lies at o·<see cref="In"/> + k.</summary>
    public float[] Weights { get; }

    /// <summary>The output.</summary>
    public float[] Output { get; }

    /// <summary>The rules of a network, in graph order, from a record of one example.</summary>
    /// <exception cref="ArgumentException">The record is of another number of examples.</exception>
    public static ImmutableArray<LayerRule> Of(RecordedPass pass)
    {
        ArgumentNullException.ThrowIfNull(pass);
        return pass.Examples == 1
            ? [.. pass.Layers.Select(layer => new LayerRule(layer, pass.Graph))]
            : throw new ArgumentException($"The rules are those of one example (there are {pass.Examples}).", nameof(pass));
    }

    /// <summary>Which elements before the function read an element of an input, and with which weights.</summary>
    /// <param name="position">Which input.</param>
    /// <param name="element">Which element of it.</param>
    public Readers ReadersOf(int position, int element)
    {
        if (IsDense)
        {
            return new Readers(element / In * Out, Out, element % In, In);
        }

        if (_runs.IsEmpty)
        {
            return new Readers(element, 1, Readers.AsItIs, 0);
        }

        var (run, joined) = (_runs[position], _runs.Sum());
        var first = (element / run * joined) + _runs.Take(position).Sum() + (element % run);
        return new Readers(first, 1, Readers.AsItIs, 0);
    }

    /// <summary>∂(output element)/∂(element before the function) of a softmax: pⱼ([i = j] − pᵢ).</summary>
    public double SoftmaxDerivative(int output, int element) =>
        Output[output] * ((output == element ? 1.0 : 0.0) - Output[element]);

    /// <summary>The first element of the row that a softmax is over.</summary>
    public int RowOf(int element) => element / SoftmaxRow * SoftmaxRow;

    /// <summary>δ·f′: the delta before the function, with the bits that the pullback computes.</summary>
    /// <param name="delta">∂loss/∂output.</param>
    /// <returns>As many elements; of a softmax the sums Σⱼ δⱼ·∂outputⱼ/∂elementᵢ.</returns>
    public float[] Inner(float[] delta)
    {
        ArgumentNullException.ThrowIfNull(delta);
        if (SoftmaxRow > 0)
        {
            float[] inner = [.. delta];
            SoftmaxKernels.SoftmaxPullback(Output, inner, SoftmaxRow);
            return inner;
        }

        // A derivative of zero gives +0, whatever the delta's sign: so do the kernels.
        return Derivative is { } f ? [.. delta.Select((d, i) => f[i] == 0 ? 0 : d * f[i])] : delta;
    }

    private static int RunOf(Shape input, int axis) =>
        input.Axes[axis..].Aggregate(input[axis - 1], (product, length) => product * length);
}

/// <summary>The elements that read one element of an input: a run of them, with weights at equal distances.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Count">How many.</param>
/// <param name="WeightStart">Where the first one's weight lies; <see cref="AsItIs"/> where the element is passed on.</param>
/// <param name="WeightStride">From one weight to the next.</param>
public readonly record struct Readers(int First, int Count, int WeightStart, int WeightStride)
{
    /// <summary>Stands for a weight where nothing is multiplied.</summary>
    public const int AsItIs = -1;

    /// <summary>Whether each reader multiplies by a weight.</summary>
    public bool AreWeighted => WeightStart != AsItIs;

    /// <summary>Where a reader's weight lies.</summary>
    public int WeightAt(int reader) => WeightStart + (reader * WeightStride);
}
