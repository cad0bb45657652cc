using System.Collections.Immutable;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Explain;

/// <summary>
/// What one layer's update did to the example's loss, in its turn: what the gradient predicted beside what came about. Both
/// losses are those of a forward pass in double precision, with all layers that had their turn before already updated.
/// </summary>
/// <param name="Layer">Which layer, in graph order.</param>
/// <param name="Rate">Its learning rate.</param>
/// <param name="GradientNorm">‖g‖.</param>
/// <param name="Predicted">g·Δw, the change to first order: −η‖g‖² where the update is plain descent.</param>
/// <param name="IsPlain">Whether the update is −η·g and nothing else.</param>
/// <param name="LossBefore">Before its turn.</param>
/// <param name="LossAfter">After its turn.</param>
public sealed record UpdateEffect(
    int Layer, double Rate, double GradientNorm, double Predicted, bool IsPlain, double LossBefore, double LossAfter)
{
    /// <summary>What came about.</summary>
    public double Actual => LossAfter - LossBefore;

    /// <summary>All layers, in the order in which they updated.</summary>
    /// <param name="network">With the parameters before the update; with those after it when this returns.</param>
    /// <param name="job">How they update.</param>
    /// <param name="pass">What the layers did.</param>
    public static ImmutableArray<UpdateEffect> Of(DoubleNetwork network, TrainingJob job, RecordedPass pass)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(pass);
        var effects = ImmutableArray.CreateBuilder<UpdateEffect>();
        var loss = network.Loss();
        foreach (var moment in pass.Moments.Where(moment => moment.Kind == MomentKind.Update))
        {
            var layer = pass.Layers[moment.Layer];
            var (predicted, square) = (0.0, 0.0);
            var parameters = network.Parameters[moment.Layer];
            for (var i = 0; i < parameters.Length; i++)
            {
                predicted += layer.Gradient[i] * ((double)layer.After[i] - layer.Before[i]);
                square += (double)layer.Gradient[i] * layer.Gradient[i];
                parameters[i] = layer.After[i];
            }

            var after = network.Loss();
            effects.Add(new UpdateEffect(moment.Layer, layer.Rate, Math.Sqrt(square), predicted, IsPlainDescent(job, layer), loss, after));
            loss = after;
        }

        return effects.ToImmutable();
    }

    // Momentum that has nothing to remember yet is plain too: what was done says so, whatever came before.
    private static bool IsPlainDescent(TrainingJob job, RecordedLayer layer)
    {
        var rate = -(float)layer.Rate;
        return job.Optimizer is SgdChoice && Enumerable.Range(0, layer.After.Length).All(i =>
            layer.After[i].Equals(MathF.FusedMultiplyAdd(rate, layer.Gradient[i], layer.Before[i])));
    }
}
