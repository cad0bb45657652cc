namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Reads <c>optimizer</c>.</summary>
internal static class OptimizerReader
{
    private static string[] AdamKeys { get; } = ["learningRate", "beta1", "beta2", "epsilon", "weightDecay"];

    public static OptimizerChoice? Read(JobNode node, JobErrors errors)
    {
        var variant = Variant.Read(node, "optimizer", errors, ["sgd", "adam", "adamW"], "rmsProp", "lars", "lamb");
        return variant?.Word switch
        {
            "sgd" => ReadSgd(variant.Options, errors),
            "adam" => ReadAdam(variant, new AdamChoice { LearningRate = DefaultRate }, errors),
            "adamW" => ReadAdam(variant, new AdamWChoice { LearningRate = DefaultRate, WeightDecay = 0.01 }, errors),
            _ => null,
        };
    }

    private static ConstantRate DefaultRate => new(0.001);

    private static SgdChoice? ReadSgd(JobNode node, JobErrors errors)
    {
        if (Fields.Of(node, "sgd", errors, ["learningRate", "momentum", "nesterov", "weightDecay"]) is not { } fields)
        {
            return null;
        }

        var rate = fields.Required("learningRate") is { } rateNode ? LearningRateReader.Read(rateNode, errors) : null;
        var momentum = fields.NumberOr(0, "momentum", NumberRange.BelowOne);
        var nesterov = fields.FlagOr(false, "nesterov");
        var weightDecay = fields.NumberOr(0, "weightDecay", NumberRange.NotNegative);
        CheckNesterov(fields, momentum, nesterov, errors);
        return rate is null ? null : new SgdChoice
        {
            LearningRate = rate,
            Momentum = momentum ?? 0,
            Nesterov = nesterov ?? false,
            WeightDecay = weightDecay ?? 0,
        };
    }

    /// <summary>Looking ahead along a momentum that is zero is a mistake of whoever asks for it.</summary>
    public static void CheckNesterov(Fields fields, double? momentum, bool? nesterov, JobErrors errors)
    {
        if (nesterov == true && momentum == 0)
        {
            errors.Value(fields.PlaceOf("nesterov"), "nesterov: true needs a momentum greater than 0 (was 0)");
        }
    }

    private static AdamChoice? ReadAdam(Variant variant, AdamChoice defaults, JobErrors errors)
    {
        if (Fields.Of(variant.Options, variant.Word, errors, AdamKeys) is not { } fields)
        {
            return null;
        }

        var rate = fields.Find("learningRate") is { } node ? LearningRateReader.Read(node, errors) : defaults.LearningRate;
        var beta1 = fields.NumberOr(defaults.Beta1, "beta1", NumberRange.BelowOne);
        var beta2 = fields.NumberOr(defaults.Beta2, "beta2", NumberRange.BelowOne);
        var epsilon = fields.NumberOr(defaults.Epsilon, "epsilon", NumberRange.Positive);
        var weightDecay = fields.NumberOr(defaults.WeightDecay, "weightDecay", NumberRange.NotNegative);
        return rate is null || beta1 is null || beta2 is null || epsilon is null || weightDecay is null
            ? null
            : defaults with
            {
                LearningRate = rate,
                Beta1 = beta1.Value,
                Beta2 = beta2.Value,
                Epsilon = epsilon.Value,
                WeightDecay = weightDecay.Value,
            };
    }
}
