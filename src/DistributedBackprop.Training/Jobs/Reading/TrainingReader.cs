namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Reads <c>training</c> and <c>checkpoints</c>.</summary>
internal static class TrainingReader
{
    /// <param name="node">The section.</param>
    /// <param name="hasTestData">Whether there is test data to stop by; null when nobody knows.</param>
    /// <param name="errors">Takes what is wrong.</param>
    public static TrainingPlan? Read(JobNode node, bool? hasTestData, JobErrors errors)
    {
        var fields = Fields.Of(
            node, "training", errors, ["batchSize", "microBatches", "epochs", "steps", "stopWhen"], "clip");
        if (fields is null)
        {
            return null;
        }

        var batchSize = fields.Integer("batchSize", 1, int.MaxValue);
        var microBatches = fields.IntegerOr(1, "microBatches", 1, SizeLimits.MicroBatchesMax);
        var epochs = fields.Find("epochs") is null ? null : fields.Integer("epochs", 1, int.MaxValue);
        var steps = fields.Find("steps") is null ? null : fields.Integer("steps", 1, long.MaxValue);
        CheckLength(fields, errors);
        var stopWhen = fields.Find("stopWhen") is { } stop ? ReadStopRule(stop, hasTestData, errors) : new StopRule();
        return batchSize is null || microBatches is null || stopWhen is null ? null : new TrainingPlan
        {
            BatchSize = (int)batchSize.Value,
            MicroBatches = (int)microBatches.Value,
            Epochs = (int?)epochs,
            Steps = steps,
            StopWhen = stopWhen,
        };
    }

    public static CheckpointPlan ReadCheckpoints(JobNode node, JobErrors errors)
    {
        var fields = Fields.Of(node, "checkpoints", errors, ["everySteps", "keep"]);
        return new CheckpointPlan
        {
            EverySteps = fields?.Find("everySteps") is null ? null : fields.Integer("everySteps", 1, long.MaxValue),
            Keep = (int)(fields?.IntegerOr(2, "keep", 1, int.MaxValue) ?? 2),
        };
    }

    private static void CheckLength(Fields fields, JobErrors errors)
    {
        var hasEpochs = fields.Find("epochs") is not null;
        var hasSteps = fields.Find("steps") is not null;
        if (hasEpochs && hasSteps)
        {
            var second = fields.PlaceOf("epochs").CompareTo(fields.PlaceOf("steps")) > 0 ? "epochs" : "steps";
            errors.Structure(fields.PlaceOf(second), "training must have only one of epochs and steps (has both)");
        }
        else if (!hasEpochs && !hasSteps)
        {
            errors.Structure(fields.At, "training needs one of epochs, steps");
        }
    }

    private static StopRule? ReadStopRule(JobNode node, bool? hasTestData, JobErrors errors)
    {
        if (Fields.Of(node, "stopWhen", errors, ["testAccuracy", "trainLoss", "patience"]) is not { } fields)
        {
            return null;
        }

        var rule = new StopRule
        {
            TestAccuracy = fields.Find("testAccuracy") is null ? null : fields.Number("testAccuracy", NumberRange.FromTo(0, 1)),
            TrainLoss = fields.Find("trainLoss") is null ? null : fields.Number("trainLoss", NumberRange.NotNegative),
            Patience = (int?)(fields.Find("patience") is null ? null : fields.Integer("patience", 1, int.MaxValue)),
        };
        foreach (var key in hasTestData == false ? new[] { "testAccuracy", "patience" } : [])
        {
            if (fields.Find(key) is { } value)
            {
                errors.Value(value.At, $"{key} needs test data, and the job has none: give data.test");
            }
        }

        return rule;
    }
}
