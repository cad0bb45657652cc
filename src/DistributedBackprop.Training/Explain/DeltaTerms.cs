using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;

namespace DistributedBackprop.Training.Explain;

/// <summary>One product of the sum that an entry of the table is.</summary>
/// <param name="Consumer">The layer that sent it, in graph order; −1: the loss.</param>
/// <param name="Unit">Which of its elements.</param>
/// <param name="Weight">What that element's delta is multiplied by; 1 where it is passed on.</param>
/// <param name="Delta">That element's delta, past its function: δ·f′.</param>
public readonly record struct DeltaTerm(int Consumer, int Unit, double Weight, double Delta)
{
    /// <summary>Stands for the loss among consumers.</summary>
    public const int FromLoss = -1;

    /// <summary>What it adds.</summary>
    public double Product => Weight * Delta;

    /// <summary>The terms of one element of a layer's delta: δ = Σ w·(δ·f′) over whoever reads that element.</summary>
    /// <param name="pass">A record of one example.</param>
    /// <param name="rules">The layers' rules.</param>
    /// <param name="inner">δ·f′ of each layer, in graph order.</param>
    /// <param name="layer">Which layer.</param>
    /// <param name="element">Which element of its output.</param>
    public static ImmutableArray<DeltaTerm> Of(
        RecordedPass pass, ImmutableArray<LayerRule> rules, ImmutableArray<float[]> inner, int layer, int element)
    {
        ArgumentNullException.ThrowIfNull(pass);
        var terms = ImmutableArray.CreateBuilder<DeltaTerm>();
        foreach (var edge in rules[layer].Node.OutputEdges.Select(edge => pass.Graph.Edges[edge]))
        {
            if (edge.Consumer == GraphEdge.Loss)
            {
                terms.Add(new DeltaTerm(FromLoss, element, 1, pass.LossDelta[element]));
                continue;
            }

            var rule = rules[edge.Consumer];
            var readers = rule.ReadersOf(edge.Position, element);
            for (var reader = 0; reader < readers.Count; reader++)
            {
                var unit = readers.First + reader;
                var weight = readers.AreWeighted ? rule.Weights[readers.WeightAt(reader)] : 1;
                terms.Add(new DeltaTerm(edge.Consumer, unit, weight, inner[edge.Consumer][unit]));
            }
        }

        return terms.ToImmutable();
    }
}
