using System.Collections.Immutable;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Explain;

/// <summary>How well the way back reaches a layer, over a batch of examples.</summary>
/// <param name="Layer">Which layer, in graph order.</param>
/// <param name="DeltaSize">
/// The root mean square of its delta's elements, for one example's loss: comparable between layers of any size.
/// </param>
/// <param name="DeltaNorm">‖δ‖ of the mean loss, all examples together.</param>
/// <param name="GradientNorm">‖g‖ of the mean loss; null without parameters.</param>
/// <param name="ParameterNorm">‖w‖; null without parameters.</param>
/// <param name="Dead">The share of relu units that are off for every example, 0 … 1; null where there is no relu.</param>
/// <param name="Saturated">
/// The share of activations whose derivative is less than a tenth of the greatest it can be; null where the activation is
/// none that saturates.
/// </param>
/// <param name="Verdict">What to make of it.</param>
public sealed record LayerHealth(
    int Layer,
    double DeltaSize,
    double DeltaNorm,
    double? GradientNorm,
    double? ParameterNorm,
    double? Dead,
    double? Saturated,
    HealthVerdict Verdict)
{
    /// <summary>So many times smaller than at the output, a delta has vanished; so many times larger, it has exploded.</summary>
    public const double Far = 100;

    private const double MuchShare = 0.5;
    private const double FlatShare = 0.1;

    /// <summary>Judges all layers, in graph order.</summary>
    /// <param name="pass">A record of a batch.</param>
    public static ImmutableArray<LayerHealth> Of(RecordedPass pass)
    {
        ArgumentNullException.ThrowIfNull(pass);
        var output = SizeOf(pass, pass.Layers[^1]);
        return [.. pass.Layers.Select(layer => Of(pass, layer, output))];
    }

    private static LayerHealth Of(RecordedPass pass, RecordedLayer layer, double output)
    {
        var activation = ActivationOf(layer);
        var size = SizeOf(pass, layer);
        double? dead = activation?.Function == ActivationFunction.Relu ? DeadShare(pass, layer) : null;
        double? saturated = activation is not null && GreatestDerivative(activation) is { } greatest && layer.Derivative is { } f
            ? f.Count(d => Math.Abs(d) < FlatShare * greatest) / (double)f.Length
            : null;
        var hasParameters = layer.Before.Length > 0;
        return new LayerHealth(
            layer.Node.Index,
            size,
            VectorSummary.NormOf(layer.Delta),
            hasParameters ? VectorSummary.NormOf(layer.Gradient) : null,
            hasParameters ? VectorSummary.NormOf(layer.Before) : null,
            dead,
            saturated,
            VerdictOf(size, output, dead, saturated));
    }

    private static HealthVerdict VerdictOf(double size, double output, double? dead, double? saturated) => (size, output) switch
    {
        (0, > 0) => HealthVerdict.Starves,
        _ when size * Far < output => HealthVerdict.Starves,
        _ when size > output * Far => HealthVerdict.Explodes,
        _ when dead > MuchShare => HealthVerdict.Dead,
        _ when saturated > MuchShare => HealthVerdict.Saturated,
        _ => HealthVerdict.Fed,
    };

    // The deltas are those of a mean over the examples: that of one example is so many times larger.
    private static double SizeOf(RecordedPass pass, RecordedLayer layer) =>
        layer.Delta.Length == 0 ? 0 : pass.Examples * VectorSummary.NormOf(layer.Delta) / Math.Sqrt(layer.Delta.Length);

    private static double DeadShare(RecordedPass pass, RecordedLayer layer)
    {
        var units = layer.Output.Length / pass.Examples;
        var dead = Enumerable.Range(0, units)
            .Count(unit => Enumerable.Range(0, pass.Examples).All(example => layer.Output[(example * units) + unit] <= 0));
        return dead / (double)units;
    }

    private static Activation? ActivationOf(RecordedLayer layer) => layer.Node.Description.Kind switch
    {
        DenseKind dense => dense.Activation,
        ActivationKind kind => kind.Activation,
        _ => null,
    };

    private static double? GreatestDerivative(Activation activation) => activation.Function switch
    {
        ActivationFunction.Sigmoid => 0.25,
        ActivationFunction.Tanh => 1,
        _ => null,
    };
}

/// <summary>What to make of a layer's figures.</summary>
public enum HealthVerdict
{
    /// <summary>Deltas of ordinary size reach it.</summary>
    Fed,

    /// <summary>Its deltas are more than a hundred times smaller than those at the output: it hardly learns.</summary>
    Starves,

    /// <summary>Its deltas are more than a hundred times larger than those at the output.</summary>
    Explodes,

    /// <summary>More than half of its relu units are off for every example.</summary>
    Dead,

    /// <summary>More than half of its activations are where the function is flat.</summary>
    Saturated,
}
