using System.Collections.Immutable;
using System.Numerics;
using DistributedBackprop.Training.ChainRule;

namespace DistributedBackprop.Training.Explain;

/// <summary>
/// How many multiplications the way back of one example costs, with the table of deltas and without it. Computed, not
/// counted while running: without the table there may be more than anybody could run.
/// </summary>
/// <param name="WithTable">With each delta computed once.</param>
/// <param name="WithoutTable">With each delta computed anew wherever it is read, for all gradients.</param>
/// <param name="Paths">Ways from a parameter to the loss: the products that are summed without the table.</param>
public sealed record PathCount(BigInteger WithTable, BigInteger WithoutTable, BigInteger Paths)
{
    /// <summary>Counts.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="rules">Its layers.</param>
    public static PathCount Of(Graph graph, ImmutableArray<LayerRule> rules)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var (without, paths, with) = (BigInteger.Zero, BigInteger.Zero, BigInteger.Zero);
        var inner = new Cost[rules.Length][];
        var rows = new Cost[rules.Length][];

        // From the output back: what a delta costs follows from what those that it reads cost.
        for (var layer = rules.Length - 1; layer >= 0; layer--)
        {
            var rule = rules[layer];
            inner[layer] = Inner(rule, [.. Enumerable.Range(0, rule.Length).Select(element => Delta(graph, rules, layer, element, inner, rows))]);
            rows[layer] = rule.IsDense ? [.. inner[layer].Chunk(rule.Out).Select(SumWithWeights)] : [];
            with += WithTableOf(rule);
            if (rule.IsDense)
            {
                // Each weight, and the bias, reads the delta of its unit in every row.
                foreach (var cost in inner[layer])
                {
                    without += (rule.In * (cost.Multiplications + 1)) + (rule.HasBias ? cost.Multiplications : 0);
                    paths += (rule.In + (rule.HasBias ? 1 : 0)) * cost.Paths;
                }
            }
        }

        return new PathCount(with, without, paths);
    }

    private static BigInteger WithTableOf(LayerRule rule)
    {
        var wanted = rule.Node.InputDeltaWanted.Contains(true);
        if (!rule.IsDense && !wanted)
        {
            return 0;
        }

        BigInteger function = rule.SoftmaxRow > 0 ? 2 * (BigInteger)rule.Length : rule.Derivative is null ? 0 : rule.Length;
        return function + ((BigInteger)rule.Length * rule.In * (wanted ? 2 : 1));
    }

    // All elements of an input row are read by the same units.
    private static Cost SumWithWeights(Cost[] row) => row.Aggregate(new Cost(row.Length, 0), (sum, cost) => sum + cost);

    private static Cost Delta(
        Graph graph, ImmutableArray<LayerRule> rules, int layer, int element, Cost[][] inner, Cost[][] rows)
    {
        var cost = new Cost(0, 0);
        foreach (var edge in rules[layer].Node.OutputEdges.Select(edge => graph.Edges[edge]))
        {
            if (edge.Consumer == GraphEdge.Loss)
            {
                cost += new Cost(0, 1);
                continue;
            }

            var consumer = rules[edge.Consumer];
            var readers = consumer.ReadersOf(edge.Position, element);
            cost += consumer.IsDense ? rows[edge.Consumer][readers.First / consumer.Out] : inner[edge.Consumer][readers.First];
        }

        return cost;
    }

    private static Cost[] Inner(LayerRule rule, Cost[] deltas)
    {
        if (rule.SoftmaxRow == 0)
        {
            return rule.Derivative is null ? deltas : [.. deltas.Select(cost => cost + new Cost(1, 0))];
        }

        // Each element reads its whole row, with a product for the derivative and one for the delta.
        return [.. deltas.Select((_, element) => deltas.Skip(rule.RowOf(element)).Take(rule.SoftmaxRow)
            .Aggregate(new Cost(0, 0), (sum, cost) => sum + cost + new Cost(2, 0)))];
    }

    private readonly record struct Cost(BigInteger Multiplications, BigInteger Paths)
    {
        public static Cost operator +(Cost one, Cost other) =>
            new(one.Multiplications + other.Multiplications, one.Paths + other.Paths);
    }
}
