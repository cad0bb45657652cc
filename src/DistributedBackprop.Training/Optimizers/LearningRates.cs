using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Optimizers;

/// <summary>Learning rates as functions of the step, in double precision.</summary>
public static class LearningRates
{
    /// <summary>The rate of a step. A warm-up of W steps takes rate·t/W in step t.</summary>
    /// <param name="rate">Which function.</param>
    /// <param name="step">The step t, from 1.</param>
    /// <param name="totalSteps">Steps of the whole job: the cosine ends there.</param>
    public static double At(LearningRate rate, long step, long totalSteps) => rate switch
    {
        ConstantRate constant => Warm(constant.Value, constant.WarmupSteps, step) ?? constant.Value,
        StepRate stairs => stairs.From * ElementaryDouble.PowerBySquaring(stairs.Factor, (step - 1) / stairs.Every),
        CosineRate cosine => Warm(cosine.From, cosine.WarmupSteps, step) ?? Cosine(cosine, step, totalSteps),
        _ => throw new ArgumentOutOfRangeException(nameof(rate), rate, "Unknown learning rate."),
    };

    private static double? Warm(double rate, long warmupSteps, long step) =>
        step <= warmupSteps ? rate * step / warmupSteps : null;

    // Loshchilov and Hutter 2017, equation 5, without restarts.
    private static double Cosine(CosineRate rate, long step, long totalSteps)
    {
        var done = step - 1 - rate.WarmupSteps;
        var length = totalSteps - rate.WarmupSteps;
        return done >= length
            ? rate.To
            : rate.To + ((rate.From - rate.To) * (0.5 * (1 + ElementaryDouble.Cos(Math.PI * done / length))));
    }
}
