using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Explain;

/// <summary>
/// The loss of one recorded example as a function of the parameters, forward only, in double precision by plain loops:
/// it knows nothing of deltas, so its difference quotients are an opinion of their own. Dropout drops what it dropped in
/// the record.
/// </summary>
public sealed class DoubleNetwork
{
    private readonly TrainingJob _job;
    private readonly Graph _graph;
    private readonly RecordedPass _pass;
    private readonly double[] _input;
    private readonly double[][] _base;
    private readonly double[][] _moved;
    private ulong _signs;

    /// <summary>Makes it, with the parameters before the update.</summary>
    /// <param name="job">Names the loss.</param>
    /// <param name="pass">A record of one example.</param>
    public DoubleNetwork(TrainingJob job, RecordedPass pass)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(pass);
        (_job, _graph, _pass) = (job, pass.Graph, pass);
        _input = Widen(pass.Features);
        Parameters = [.. pass.Layers.Select(layer => Widen(layer.Before))];
        _base = [.. _graph.Nodes.Select(node => new double[node.Layer.OutputShape.Length])];
        _moved = [.. _graph.Nodes.Select(node => new double[node.Layer.OutputShape.Length])];
        BaseLoss = Loss();
    }

    /// <summary>The parameters, a vector for each layer in graph order. Whoever moves one asks for the loss anew.</summary>
    public ImmutableArray<double[]> Parameters { get; }

    /// <summary>The loss with the parameters before the update.</summary>
    public double BaseLoss { get; }

    /// <summary>On which side of its kink each argument of relu and leakyRelu lay in the newest pass, as a hash.</summary>
    public ulong Signs => _signs;

    /// <summary>The loss with the present parameters.</summary>
    public double Loss() => LossFrom(0, _base);

    /// <summary>The loss after parameters of one layer alone were moved since <see cref="Loss"/>.</summary>
    /// <param name="layer">Which layer: those before it are as they were.</param>
    public double LossWithMoved(int layer) => LossFrom(layer, _moved);

    private double LossFrom(int first, double[][] values)
    {
        _signs = 0;
        for (var index = first; index < _graph.Nodes.Length; index++)
        {
            var node = _graph.Nodes[index];
            var inputs = node.Inputs
                .Select(source => source < 0 ? _input : source < first ? _base[source] : values[source]).ToArray();
            Forward(node, inputs, values[index]);
        }

        return DoubleFunctions.Loss(_job.Loss, values[^1], _pass.Labels[0]);
    }

    private void Forward(GraphNode node, double[][] inputs, double[] output)
    {
        switch (node.Description.Kind)
        {
            case DenseKind dense:
                Affine(Parameters[node.Index], inputs[0], output, dense);
                Activate(dense.Activation, output, dense.Units);
                break;
            case ActivationKind kind:
                inputs[0].CopyTo(output, 0);
                Activate(kind.Activation, output, node.Layer.OutputShape[^1]);
                break;
            case DropoutKind dropout:
                var factors = _pass.Layers[node.Index].Derivative!;
                for (var i = 0; i < output.Length; i++)
                {
                    output[i] = factors[i] == 0 ? 0 : inputs[0][i] / (1 - dropout.Rate);
                }

                break;
            case FlattenKind:
                inputs[0].CopyTo(output, 0);
                break;
            case AddKind:
                for (var i = 0; i < output.Length; i++)
                {
                    output[i] = inputs.Sum(input => input[i]);
                }

                break;
            case ConcatKind concat:
                Join(node, concat.Axis, inputs, output);
                break;
            default:
                throw new InvalidOperationException($"There is no forward pass of {node.Description.Kind} in double precision.");
        }
    }

    private static void Affine(double[] parameters, double[] input, double[] output, DenseKind dense)
    {
        var rows = output.Length / dense.Units;
        var fanIn = input.Length / rows;
        for (var i = 0; i < output.Length; i++)
        {
            var (row, unit) = (i / dense.Units, i % dense.Units);
            var weights = parameters.AsSpan(unit * fanIn, fanIn);
            var x = input.AsSpan(row * fanIn, fanIn);
            var sum = dense.Bias ? parameters[(dense.Units * fanIn) + unit] : 0;
            for (var k = 0; k < weights.Length; k++)
            {
                sum += weights[k] * x[k];
            }

            output[i] = sum;
        }
    }

    private void Activate(Activation? activation, double[] values, int row)
    {
        if (activation is null)
        {
            return;
        }

        if (activation.Function is ActivationFunction.Relu or ActivationFunction.LeakyRelu)
        {
            foreach (var value in values)
            {
                _signs = unchecked((_signs * 1099511628211UL) + (value > 0 ? 2UL : 1UL));
            }
        }

        for (var start = 0; start < values.Length; start += row)
        {
            DoubleFunctions.Apply(activation, values.AsSpan(start, row));
        }
    }

    private void Join(GraphNode node, int axis, double[][] inputs, double[] output)
    {
        var shapes = node.Inputs.Select(source => source < 0 ? _graph.Input : _graph.Nodes[source].Layer.OutputShape).ToList();
        var runs = shapes.Select(shape => RunOf(shape, axis)).ToList();
        var (joined, offset) = (runs.Sum(), 0);
        for (var input = 0; input < inputs.Length; input++)
        {
            for (var i = 0; i < inputs[input].Length; i++)
            {
                output[(i / runs[input] * joined) + offset + (i % runs[input])] = inputs[input][i];
            }

            offset += runs[input];
        }
    }

    private static int RunOf(Shape shape, int axis) =>
        shape.Axes[(axis - 1)..].Aggregate(1, (product, length) => product * length);

    private static double[] Widen(float[] values) => [.. values.Select(value => (double)value)];
}
