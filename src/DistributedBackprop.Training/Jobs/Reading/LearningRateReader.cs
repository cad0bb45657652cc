namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Reads a learning rate: a number, or one of the functions of the step.</summary>
internal static class LearningRateReader
{
    public static LearningRate? Read(JobNode node, JobErrors errors)
    {
        if (node is ScalarNode { Type: ScalarType.Integer or ScalarType.Number })
        {
            return Scalars.Number(node, "learningRate", NumberRange.NotNegative, errors) is { } value
                ? new ConstantRate(value)
                : null;
        }

        if (node is not MappingNode)
        {
            errors.WrongType(node, "learningRate", "a number or a mapping with one of step, cosine, constant");
            return null;
        }

        var variant = Variant.Read(node, "learningRate", errors, ["step", "cosine", "constant"]);
        return variant?.Word switch
        {
            "step" => ReadStep(variant.Options, errors),
            "cosine" => ReadCosine(variant.Options, errors),
            "constant" => ReadConstant(variant.Options, errors),
            _ => null,
        };
    }

    private static StepRate? ReadStep(JobNode node, JobErrors errors)
    {
        var fields = Fields.Of(node, "step", errors, ["from", "every", "factor"]);
        var from = fields?.Number("from", NumberRange.NotNegative);
        var every = fields?.Integer("every", 1, long.MaxValue);
        var factor = fields?.Number("factor", NumberRange.Positive);
        return from is null || every is null || factor is null ? null : new StepRate(from.Value, every.Value, factor.Value);
    }

    private static CosineRate? ReadCosine(JobNode node, JobErrors errors)
    {
        var fields = Fields.Of(node, "cosine", errors, ["from", "to", "warmupSteps"]);
        var from = fields?.Number("from", NumberRange.NotNegative);
        var to = fields?.NumberOr(0, "to", NumberRange.NotNegative);
        var warmup = fields?.IntegerOr(0, "warmupSteps", 0, long.MaxValue);
        return from is null || to is null || warmup is null ? null : new CosineRate(from.Value, to.Value, warmup.Value);
    }

    private static ConstantRate? ReadConstant(JobNode node, JobErrors errors)
    {
        var fields = Fields.Of(node, "constant", errors, ["value", "warmupSteps"]);
        var value = fields?.Number("value", NumberRange.NotNegative);
        var warmup = fields?.IntegerOr(0, "warmupSteps", 0, long.MaxValue);
        return value is null || warmup is null ? null : new ConstantRate(value.Value, warmup.Value);
    }
}
