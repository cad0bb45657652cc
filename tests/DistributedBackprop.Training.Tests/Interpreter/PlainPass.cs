namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>One micro-batch on its way through the graph: forward layer by layer, back again layer by layer.</summary>
public sealed class PlainPass
{
    private readonly PlainGraph _graph;
    private readonly float[][] _parameters;

    // [layer][example]
    private readonly PlainApplication[][] _applications;

    /// <summary>Goes forward.</summary>
    /// <param name="graph">The layers.</param>
    /// <param name="parameters">All of the graph's parameters.</param>
    /// <param name="examples">One array per example.</param>
    /// <param name="first">Whose example the first one is; the others follow it in the minibatch.</param>
    public PlainPass(PlainGraph graph, float[][] parameters, float[][] examples, PlainPlace first)
    {
        (_graph, _parameters) = (graph, parameters);
        _applications = new PlainApplication[graph.Layers.Length][];
        for (var l = 0; l < graph.Layers.Length; l++)
        {
            _applications[l] = new PlainApplication[examples.Length];
            for (var n = 0; n < examples.Length; n++)
            {
                var inputs = graph.Layers[l].Inputs.Select(i => i < 0 ? examples[n] : _applications[i][n].Output);
                var place = first with { Position = first.Position + n };
                _applications[l][n] = graph.Layers[l].Forward([.. inputs], graph.Of(l, parameters), place);
            }
        }
    }

    /// <summary>The last layer's output for an example.</summary>
    public float[] Output(int example) => _applications[^1][example].Output;

    /// <summary>A layer's output for an example.</summary>
    public float[] Output(int layer, int example) => _applications[layer][example].Output;

    /// <summary>Goes back: the layers in reverse, in each the examples in order.</summary>
    /// <param name="outputDeltas">∂loss/∂output per example.</param>
    /// <param name="gradient">What the parameters' gradients are added to.</param>
    /// <returns>∂loss/∂output of every layer: <c>[layer][example]</c>.</returns>
    public float[][][] Backward(float[][] outputDeltas, float[][] gradient)
    {
        // [layer][example][input]
        var inputDeltas = new float[_graph.Layers.Length][][][];
        var deltas = new float[_graph.Layers.Length][][];
        for (var l = _graph.Layers.Length - 1; l >= 0; l--)
        {
            deltas[l] = new float[outputDeltas.Length][];
            inputDeltas[l] = new float[outputDeltas.Length][][];
            for (var n = 0; n < outputDeltas.Length; n++)
            {
                deltas[l][n] = l == _graph.Layers.Length - 1 ? outputDeltas[n] : FromConsumers(l, n, inputDeltas);
                inputDeltas[l][n] = _graph.Layers[l].Backward(
                    _applications[l][n], deltas[l][n], _graph.Of(l, _parameters), _graph.Of(l, gradient));
            }
        }

        return deltas;
    }

    /// <summary>The sum of what the consumers of a layer say, in graph order; the first is copied.</summary>
    private float[] FromConsumers(int layer, int example, float[][][][] inputDeltas)
    {
        float[]? sum = null;
        for (var consumer = layer + 1; consumer < _graph.Layers.Length; consumer++)
        {
            for (var i = 0; i < _graph.Layers[consumer].Inputs.Length; i++)
            {
                if (_graph.Layers[consumer].Inputs[i] == layer)
                {
                    var next = inputDeltas[consumer][example][i];
                    sum = sum is null ? next : [.. sum.Zip(next, (a, b) => a + b)];
                }
            }
        }

        return sum ?? throw new InvalidOperationException($"Nothing consumes {_graph.Layers[layer].Name}.");
    }
}
