using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>Learning rates as functions of the step, in double.</summary>
public static class PlainRates
{
    /// <summary>The rate of a step.</summary>
    /// <param name="rate">Which function.</param>
    /// <param name="step">Counts from 1.</param>
    /// <param name="totalSteps">Of the job, were it not stopped early.</param>
    public static double At(LearningRate rate, long step, long totalSteps) => rate switch
    {
        ConstantRate c => step <= c.WarmupSteps ? c.Value * step / c.WarmupSteps : c.Value,
        StepRate s => s.From * PlainMath.Power(s.Factor, (step - 1) / s.Every),
        CosineRate c => Cosine(c, step, totalSteps),
        _ => throw new ArgumentException($"No interpretation of {rate}.", nameof(rate)),
    };

    private static double Cosine(CosineRate rate, long step, long totalSteps)
    {
        if (step <= rate.WarmupSteps)
        {
            return rate.From * step / rate.WarmupSteps;
        }

        var at = step - 1 - rate.WarmupSteps;
        var length = totalSteps - rate.WarmupSteps;
        return length <= 0 || at >= length
            ? rate.To
            : rate.To + ((rate.From - rate.To) * (0.5 * (1 + PlainMath.Cos(Math.PI * at / length))));
    }
}
