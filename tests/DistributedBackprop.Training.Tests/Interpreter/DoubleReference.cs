using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// The mathematics in double precision, with no regard for any order: it judges the interpreter's formulas, which the
/// interpreter's own float32 cannot do. Examples are independent, so it takes them one by one.
/// </summary>
/// <param name="model">The graph.</param>
/// <param name="loss">What judges its last layer.</param>
/// <param name="isDropped">
/// Whether dropout drops an element: (layer, example, element). Null for evaluation, where dropout does nothing.
/// </param>
public sealed class DoubleReference(Model model, LossKind loss, Func<string, int, int, bool>? isDropped = null)
{
    /// <summary>The mean loss over examples, and all its derivatives.</summary>
    /// <param name="parameters">By full name, e.g. <c>dense1.weight</c>.</param>
    /// <param name="examples">Elements of the model's input in row-major order, one array per example.</param>
    /// <param name="labels">One class per example.</param>
    public DoubleDerivatives Evaluate(IReadOnlyDictionary<string, double[]> parameters, double[][] examples, int[] labels)
    {
        var gradient = parameters.ToDictionary(p => p.Key, p => new double[p.Value.Length]);
        var deltas = model.Layers.Select(l => l.Name).Append(Model.InputName)
            .ToDictionary(name => name, _ => new double[examples.Length][]);
        var (sum, kink) = (0.0, double.PositiveInfinity);
        for (var n = 0; n < examples.Length; n++)
        {
            var values = new Dictionary<string, Node> { [Model.InputName] = new(model.Input, examples[n]) };
            foreach (var layer in model.Layers)
            {
                values[layer.Name] = Forward(layer, [.. layer.Inputs.Select(i => values[i])], parameters, n, ref kink);
            }

            var last = values[model.Layers[^1].Name];
            sum += DoubleLosses.Value(loss, last.Value, labels[n]);
            last.Add([.. DoubleLosses.Delta(loss, last.Value, labels[n]).Select(d => d / examples.Length)]);
            foreach (var layer in model.Layers.Reverse())
            {
                Backward(layer, values[layer.Name], [.. layer.Inputs.Select(i => values[i])], parameters, gradient, n);
            }

            foreach (var (name, node) in values)
            {
                deltas[name][n] = node.Delta;
            }
        }

        return new DoubleDerivatives(sum / examples.Length, gradient, deltas, kink);
    }

    private Node Forward(
        ModelLayer layer, Node[] inputs, IReadOnlyDictionary<string, double[]> parameters, int example, ref double kink)
    {
        var x = inputs[0];
        switch (layer.Kind)
        {
            case DenseKind dense:
                var z = Affine(dense, layer.Name, x, parameters);
                kink = Math.Min(kink, NearestKink(dense.Activation, z));
                return new(new Shape([.. x.Shape.Axes[..^1], dense.Units]), ByRow(
                    z, dense.Units, row => DoubleActivations.Forward(dense.Activation, row)));
            case ActivationKind kind:
                kink = Math.Min(kink, NearestKink(kind.Activation, x.Value));
                return new(x.Shape, ByRow(
                    x.Value, x.Shape.Axes[^1], row => DoubleActivations.Forward(kind.Activation, row)));
            case DropoutKind dropout:
                return new(x.Shape, [.. x.Value.Select((v, e) => v * Kept(layer.Name, dropout, example, e))]);
            case FlattenKind:
                return new(new Shape(x.Shape.Length), x.Value);
            case AddKind:
                return new(x.Shape, [.. x.Value.Select((_, e) => inputs.Sum(i => i.Value[e]))]);
            case ConcatKind concat:
                var axis = concat.Axis - 1;
                var joined = new Node(
                    new Shape([.. x.Shape.Axes.SetItem(axis, inputs.Sum(i => i.Shape[axis]))]), []);
                joined = joined with { Value = new double[joined.Shape.Length], Delta = new double[joined.Shape.Length] };
                ForEachJoined(axis, joined, inputs, (i, from, to) => joined.Value[to] = inputs[i].Value[from]);
                return joined;
            default:
                throw new InvalidOperationException($"No reference for {layer.Kind}.");
        }
    }

    private void Backward(
        ModelLayer layer,
        Node output,
        Node[] inputs,
        IReadOnlyDictionary<string, double[]> parameters,
        Dictionary<string, double[]> gradient,
        int example)
    {
        var x = inputs[0];
        switch (layer.Kind)
        {
            case DenseKind dense:
                DenseBackward(dense, layer.Name, output, x, parameters, gradient);
                break;
            case ActivationKind kind:
                x.Add(ByRow(
                    x.Value, output.Delta, x.Shape.Axes[^1], (a, d) => DoubleActivations.Backward(kind.Activation, a, d)));
                break;
            case DropoutKind dropout:
                x.Add([.. output.Delta.Select((d, e) => d * Kept(layer.Name, dropout, example, e))]);
                break;
            case ConcatKind concat:
                ForEachJoined(concat.Axis - 1, output, inputs, (i, from, to) => inputs[i].Delta[from] += output.Delta[to]);
                break;
            default:
                foreach (var input in inputs)
                {
                    input.Add(output.Delta);
                }

                break;
        }
    }

    private static double[] Affine(DenseKind dense, string name, Node x, IReadOnlyDictionary<string, double[]> parameters)
    {
        var (weight, fanIn) = (parameters[$"{name}.weight"], x.Shape.Axes[^1]);
        var z = new double[x.Value.Length / fanIn * dense.Units];
        for (var i = 0; i < z.Length; i++)
        {
            var (row, o) = (i / dense.Units, i % dense.Units);
            z[i] = dense.Bias ? parameters[$"{name}.bias"][o] : 0;
            for (var k = 0; k < fanIn; k++)
            {
                z[i] += x.Value[(row * fanIn) + k] * weight[(o * fanIn) + k];
            }
        }

        return z;
    }

    private static void DenseBackward(
        DenseKind dense,
        string name,
        Node output,
        Node x,
        IReadOnlyDictionary<string, double[]> parameters,
        Dictionary<string, double[]> gradient)
    {
        var fanIn = x.Shape.Axes[^1];
        var delta = ByRow(
            Affine(dense, name, x, parameters),
            output.Delta,
            dense.Units,
            (z, d) => DoubleActivations.Backward(dense.Activation, z, d));
        for (var i = 0; i < delta.Length; i++)
        {
            var (row, o) = (i / dense.Units, i % dense.Units);
            for (var k = 0; k < fanIn; k++)
            {
                gradient[$"{name}.weight"][(o * fanIn) + k] += delta[i] * x.Value[(row * fanIn) + k];
                x.Delta[(row * fanIn) + k] += delta[i] * parameters[$"{name}.weight"][(o * fanIn) + k];
            }

            if (dense.Bias)
            {
                gradient[$"{name}.bias"][o] += delta[i];
            }
        }
    }

    private double Kept(string layer, DropoutKind dropout, int example, int element) =>
        isDropped is null ? 1 : isDropped(layer, example, element) ? 0 : 1 / (1 - dropout.Rate);

    private static double NearestKink(Activation? activation, double[] x) =>
        activation?.Function is ActivationFunction.Relu or ActivationFunction.LeakyRelu
            ? x.Min(Math.Abs)
            : double.PositiveInfinity;

    /// <summary>Visits every element of a concatenation: which input, where in it, where in the output.</summary>
    private static void ForEachJoined(int axis, Node joined, Node[] inputs, Action<int, int, int> visit)
    {
        var offset = 0;
        for (var i = 0; i < inputs.Length; i++)
        {
            var shape = inputs[i].Shape;
            for (var from = 0; from < shape.Length; from++)
            {
                // Row-major index → one index per axis → row-major index in the joined shape.
                var (rest, to, stride) = (from, 0, 1);
                for (var a = shape.Rank - 1; a >= 0; a--)
                {
                    to += ((rest % shape[a]) + (a == axis ? offset : 0)) * stride;
                    rest /= shape[a];
                    stride *= joined.Shape[a];
                }

                visit(i, from, to);
            }

            offset += shape[axis];
        }
    }

    private static double[] ByRow(double[] x, int length, Func<double[], double[]> map) =>
        [.. x.Chunk(length).SelectMany(map)];

    private static double[] ByRow(double[] x, double[] delta, int length, Func<double[], double[], double[]> map) =>
        [.. x.Chunk(length).Zip(delta.Chunk(length), map).SelectMany(row => row)];

    private sealed record Node(Shape Shape, double[] Value)
    {
        public double[] Delta { get; init; } = new double[Value.Length];

        public void Add(double[] delta)
        {
            for (var e = 0; e < delta.Length; e++)
            {
                Delta[e] += delta[e];
            }
        }
    }
}

/// <summary>A loss and its derivatives.</summary>
/// <param name="Loss">Mean over the examples.</param>
/// <param name="Gradient">By every parameter, by full name.</param>
/// <param name="Deltas">By every layer's output and by the <c>input</c>: <c>[example][element]</c>.</param>
/// <param name="NearestKink">
/// The least distance of any argument of relu or leakyRelu from 0, where the derivative jumps; +∞ without such.
/// </param>
public sealed record DoubleDerivatives(
    double Loss,
    IReadOnlyDictionary<string, double[]> Gradient,
    IReadOnlyDictionary<string, double[][]> Deltas,
    double NearestKink);
