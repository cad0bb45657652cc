using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;

namespace DistributedBackprop.Training.Explain;

/// <summary>
/// The chain rule without the table: every gradient asks for its delta, every delta for those behind it, and nobody
/// remembers. The same gradients come out, and the multiplications are counted as they are done. In double precision,
/// from the weights and local derivatives of a recorded example.
/// </summary>
public sealed class PathRecursion
{
    private readonly Graph _graph;
    private readonly ImmutableArray<LayerRule> _rules;
    private readonly RecordedPass _pass;

    private PathRecursion(RecordedPass pass, ImmutableArray<LayerRule> rules)
    {
        (_pass, _graph, _rules) = (pass, pass.Graph, rules);
        Gradients = [.. rules.Select(rule => new double[rule.Node.Layer.Parameters.Length])];
    }

    /// <summary>∂loss/∂parameters of each layer, in graph order.</summary>
    public ImmutableArray<double[]> Gradients { get; }

    /// <summary>Multiplications done.</summary>
    public long Multiplications { get; private set; }

    /// <summary>Products summed: how often a way ended at the loss.</summary>
    public long Paths { get; private set; }

    /// <summary>Runs it. Its work grows with the number of paths: see <see cref="PathCount"/> first.</summary>
    /// <param name="pass">A record of one example.</param>
    /// <param name="rules">The layers' rules.</param>
    public static PathRecursion Run(RecordedPass pass, ImmutableArray<LayerRule> rules)
    {
        ArgumentNullException.ThrowIfNull(pass);
        var run = new PathRecursion(pass, rules);
        foreach (var rule in rules.Where(rule => rule.IsDense))
        {
            run.AddGradient(rule);
        }

        return run;
    }

    /// <summary>The largest difference of a layer's gradients from those that the layer itself computed.</summary>
    public double LargestDifference(int layer)
    {
        var largest = 0.0;
        for (var i = 0; i < Gradients[layer].Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(Gradients[layer][i] - _pass.Layers[layer].Gradient[i]));
        }

        return largest;
    }

    private void AddGradient(LayerRule rule)
    {
        var source = rule.Node.Inputs[0];
        var input = source < 0 ? _pass.Features : _pass.Layers[source].Output;
        var gradient = Gradients[rule.Node.Index];
        for (var element = 0; element < rule.Length; element++)
        {
            var (row, unit) = (element / rule.Out, element % rule.Out);
            for (var k = 0; k < rule.In; k++)
            {
                Multiplications++;
                gradient[(unit * rule.In) + k] += BeforeFunction(rule, element) * input[(row * rule.In) + k];
            }

            if (rule.HasBias)
            {
                gradient[(rule.Out * rule.In) + unit] += BeforeFunction(rule, element);
            }
        }
    }

    private double BeforeFunction(LayerRule rule, int element)
    {
        if (rule.SoftmaxRow > 0)
        {
            var sum = 0.0;
            var row = rule.RowOf(element);
            for (var output = row; output < row + rule.SoftmaxRow; output++)
            {
                Multiplications += 2;
                sum += rule.SoftmaxDerivative(output, element) * Delta(rule, output);
            }

            return sum;
        }

        if (rule.Derivative is null)
        {
            return Delta(rule, element);
        }

        Multiplications++;
        return rule.Derivative[element] * Delta(rule, element);
    }

    private double Delta(LayerRule rule, int element)
    {
        var sum = 0.0;
        foreach (var index in rule.Node.OutputEdges)
        {
            var edge = _graph.Edges[index];
            if (edge.Consumer == GraphEdge.Loss)
            {
                Paths++;
                sum += _pass.LossDelta[element];
                continue;
            }

            var consumer = _rules[edge.Consumer];
            var readers = consumer.ReadersOf(edge.Position, element);
            for (var reader = 0; reader < readers.Count; reader++)
            {
                var behind = BeforeFunction(consumer, readers.First + reader);
                if (readers.AreWeighted)
                {
                    Multiplications++;
                    behind *= consumer.Weights[readers.WeightAt(reader)];
                }

                sum += behind;
            }
        }

        return sum;
    }
}
