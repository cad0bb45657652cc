using System.Collections.Immutable;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>A trained network that is applied to examples: forward passes alone, dropout passes all.</summary>
public sealed class Prediction : IDisposable
{
    // As many as an evaluation takes at once.
    private const int RowsAtOnce = 256;

    private readonly Graph _graph;
    private readonly TensorPool _pool;
    private readonly Parameters[] _parameters;

    /// <summary>Takes a copy of the parameters.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="parameters">In graph order, a vector for each layer.</param>
    /// <param name="pool">Lends memory.</param>
    /// <exception cref="ArgumentException">A vector has not as many elements as its layer.</exception>
    public Prediction(Graph graph, ImmutableArray<float[]> parameters, TensorPool pool)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (parameters.Length != graph.Nodes.Length
            || graph.Nodes.Any(node => node.Layer.Parameters.Length != parameters[node.Index].Length))
        {
            throw new ArgumentException("These are not the parameters of the network.", nameof(parameters));
        }

        _graph = graph;
        _pool = pool;
        _parameters = [.. graph.Nodes.Select(node =>
        {
            var own = Parameters.Rent(pool, node.Layer.Parameters, node.Layer.PackedLength);
            parameters[node.Index].CopyTo(own.Vector.Floats);
            if (own.Layout.Length > 0)
            {
                node.Layer.Prepare(own, 0, own.Layout.Length);
            }

            return own;
        })];
    }

    /// <summary>Applies the network.</summary>
    /// <param name="features">Examples one after the other, whole ones.</param>
    /// <returns>The outputs of the examples one after the other, some examples at a time.</returns>
    public IEnumerable<float[]> Of(float[] features)
    {
        ArgumentNullException.ThrowIfNull(features);
        var width = _graph.Input.Length;
        for (var at = 0; at < features.Length; at += RowsAtOnce * width)
        {
            yield return Forward(features.AsSpan(at, Math.Min(RowsAtOnce * width, features.Length - at)));
        }
    }

    /// <summary>The class that outputs say, as the loss judges them.</summary>
    /// <param name="outputs">Of one example.</param>
    /// <param name="loss">The loss that the network was trained with.</param>
    public static int ClassOf(ReadOnlySpan<float> outputs, LossKind loss)
    {
        if (outputs.Length == 1)
        {
            return outputs[0] > (loss == LossKind.MeanSquaredError ? 0.5f : 0f) ? 1 : 0;
        }

        var best = 0;
        for (var i = 1; i < outputs.Length; i++)
        {
            best = outputs[i] > outputs[best] ? i : best;
        }

        return best;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var parameters in _parameters)
        {
            parameters.Dispose();
        }
    }

    private float[] Forward(ReadOnlySpan<float> features)
    {
        var rows = features.Length / _graph.Input.Length;
        using var input = Tensor.Rent(_pool, new Shape([rows, .. _graph.Input.Axes]));
        features.CopyTo(input.Floats);
        var pass = new ForwardPass(new Workspace(_pool, SequentialTiles.Instance), IsTraining: false, Step: 1, FirstPosition: 0);
        var outputs = new Tensor?[_graph.Nodes.Length];
        try
        {
            foreach (var node in _graph.Nodes)
            {
                Tensor[] inputs = [.. node.Inputs.Select(source => source == GraphNode.InputIndex ? input : outputs[source]!)];
                (outputs[node.Index], _) = node.Layer.Forward(_parameters[node.Index], inputs, pass);
            }

            return outputs[^1]!.Floats.ToArray();
        }
        finally
        {
            foreach (var output in outputs)
            {
                output?.Dispose();
            }
        }
    }
}
