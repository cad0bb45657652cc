using System.Collections.Immutable;

namespace DistributedBackprop.Training.Explain;

/// <summary>
/// The gradients of a layer beside difference quotients (L(w+h) − L(w−h)) / 2h of a forward pass in double precision.
/// </summary>
/// <param name="Layer">Which layer, in graph order.</param>
/// <param name="Compared">The parameters compared, by ascending index; all of them where the network is small.</param>
/// <param name="Parameters">How many the layer has.</param>
/// <param name="AtKinks">How many more were tried and are no test: a relu's kink lies between w−h and w+h.</param>
/// <param name="LargestDifference">The largest |gradient − quotient|.</param>
/// <param name="LargestGradient">The largest |gradient| of the layer: what the difference is to be seen against.</param>
public sealed record DifferenceQuotients(
    int Layer,
    ImmutableArray<Quotient> Compared,
    int Parameters,
    int AtKinks,
    double LargestDifference,
    double LargestGradient)
{
    // The error of the quotient is of order h², that of the two losses 10⁻¹⁶/h: this balances them.
    private const double Step = 1e-5;

    // Multiply-adds of all forward passes together: about a third of a second.
    private const double Work = 2e8;
    private const int FewestPerLayer = 24;
    private const int Largest = 8;

    /// <summary>The largest difference as a share of the largest gradient; 0 where both are 0.</summary>
    public double Relative => LargestDifference == 0 ? 0 : LargestDifference / LargestGradient;

    /// <summary>Compares all layers that have parameters, from the output back.</summary>
    /// <param name="network">With the parameters before the update, which it has again afterwards.</param>
    /// <param name="pass">What the layers computed.</param>
    public static ImmutableArray<DifferenceQuotients> Of(DoubleNetwork network, RecordedPass pass)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(pass);
        network.Loss();
        var cost = pass.Graph.Nodes.Sum(node => (double)node.Layer.WorkPerExample);
        var layers = pass.Layers.Where(layer => layer.Gradient.Length > 0).ToList();
        var most = (int)Math.Max(FewestPerLayer, Work / (2 * cost * Math.Max(1, layers.Count)));
        return [.. layers.AsEnumerable().Reverse().Select(layer => Compare(network, layer, most))];
    }

    private static DifferenceQuotients Compare(DoubleNetwork network, RecordedLayer layer, int most)
    {
        var index = layer.Node.Index;
        var compared = ImmutableArray.CreateBuilder<Quotient>();
        var (atKinks, largest) = (0, 0.0);
        foreach (var parameter in Chosen(layer.Gradient, most))
        {
            if (QuotientOf(network, index, parameter) is not { } quotient)
            {
                atKinks++;
                continue;
            }

            compared.Add(new Quotient(parameter, quotient));
            largest = Math.Max(largest, Math.Abs(quotient - layer.Gradient[parameter]));
        }

        return new DifferenceQuotients(
            index, compared.ToImmutable(), layer.Gradient.Length, atKinks, largest, layer.Gradient.Max(Math.Abs));
    }

    private static double? QuotientOf(DoubleNetwork network, int layer, int parameter)
    {
        ref var value = ref network.Parameters[layer][parameter];
        var was = value;
        var step = Step * Math.Max(1, Math.Abs(was));
        value = was + step;
        var (above, high, signs) = (value, network.LossWithMoved(layer), network.Signs);
        value = was - step;
        var (below, low) = (value, network.LossWithMoved(layer));
        value = was;
        return signs == network.Signs ? (high - low) / (above - below) : null;
    }

    // All, or the largest gradients and others at equal distances.
    private static IEnumerable<int> Chosen(float[] gradient, int most)
    {
        if (gradient.Length <= most)
        {
            return Enumerable.Range(0, gradient.Length);
        }

        var largest = Enumerable.Range(0, gradient.Length).OrderByDescending(i => Math.Abs(gradient[i])).Take(Largest);
        var spread = Enumerable.Range(0, most - Largest).Select(i => (int)((long)i * gradient.Length / (most - Largest)));
        return largest.Concat(spread).Distinct().Order();
    }
}

/// <summary>The difference quotient of one parameter.</summary>
/// <param name="Parameter">Which, in the layer's vector.</param>
/// <param name="Value">(L(w+h) − L(w−h)) / 2h.</param>
public readonly record struct Quotient(int Parameter, double Value);
