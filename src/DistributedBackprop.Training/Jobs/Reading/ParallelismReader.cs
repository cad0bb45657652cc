namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Reads <c>parallelism</c>.</summary>
internal static class ParallelismReader
{
    /// <param name="node">The section.</param>
    /// <param name="layers">How many layers the model has; null when nobody knows.</param>
    /// <param name="errors">Takes what is wrong.</param>
    public static Parallelism Read(JobNode node, int? layers, JobErrors errors)
    {
        var defaults = new Parallelism();
        if (Fields.Of(node, "parallelism", errors, ["replicas", "stages", "schedule", "averaging"]) is not { } fields)
        {
            return defaults;
        }

        var replicas = fields.IntegerOr(1, "replicas", 1, SizeLimits.ReplicasMax);
        var stages = fields.IntegerOr(1, "stages", 1, SizeLimits.StagesMax);
        if (stages > layers)
        {
            errors.Value(
                fields.PlaceOf("stages"), $"stages must be from 1 to {layers}, the number of layers (was {stages})");
        }

        var schedule = fields.Find("schedule") is { } word ? Vocabulary.Schedules.Read(word, "schedule", errors) : null;
        var averaging = fields.Find("averaging") is { } choice ? ReadAveraging(choice, errors) : null;
        return new Parallelism
        {
            Replicas = (int)(replicas ?? 1),
            Stages = (int)(stages ?? 1),
            Schedule = schedule ?? defaults.Schedule,
            Averaging = averaging ?? defaults.Averaging,
        };
    }

    private static AveragingChoice? ReadAveraging(JobNode node, JobErrors errors)
    {
        if (node is not MappingNode)
        {
            if (node is ScalarNode { Text: "gradients" })
            {
                return new GradientAveraging();
            }

            errors.WrongType(node, "averaging", "gradients or a mapping with parameters");
            return null;
        }

        if (Variant.Read(node, "averaging", errors, ["parameters"]) is not { } variant
            || Fields.Of(variant.Options, "parameters", errors, ["every", "outer", "innerState"]) is not { } fields)
        {
            return null;
        }

        var every = fields.Integer("every", 1, long.MaxValue);
        var outer = fields.Find("outer") is { } outerNode ? ReadOuter(outerNode, errors) : new OuterOptimizer();
        var innerState = fields.Find("innerState") is { } word
            ? Vocabulary.InnerStates.Read(word, "innerState", errors)
            : InnerState.Keep;
        return every is null || outer is null || innerState is null
            ? null
            : new ParameterAveraging(every.Value, outer, innerState.Value);
    }

    private static OuterOptimizer? ReadOuter(JobNode node, JobErrors errors)
    {
        if (Fields.Of(node, "outer", errors, ["learningRate", "momentum", "nesterov"]) is not { } fields)
        {
            return null;
        }

        var learningRate = fields.NumberOr(1, "learningRate", NumberRange.Positive);
        var momentum = fields.NumberOr(0, "momentum", NumberRange.BelowOne);
        var nesterov = fields.FlagOr(false, "nesterov");
        OptimizerReader.CheckNesterov(fields, momentum, nesterov, errors);
        return new OuterOptimizer(learningRate ?? 1, momentum ?? 0, nesterov ?? false);
    }
}
