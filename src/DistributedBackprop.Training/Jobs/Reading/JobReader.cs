namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>Reads a whole job from its tree.</summary>
internal static class JobReader
{
    private static string[] Keys { get; } =
        ["name", "seed", "data", "model", "loss", "optimizer", "training", "parallelism", "checkpoints"];

    /// <summary>The job; null when it is not complete. It counts only when no errors were found.</summary>
    public static TrainingJob? Read(JobNode root, JobErrors errors)
    {
        if (Fields.Of(root, "a job", errors, Keys, "inputs", "losses") is not { } fields)
        {
            return null;
        }

        var name = fields.Required("name") is { } nameNode ? Scalars.Name(nameNode, "name", errors) : null;
        var seed = fields.IntegerOr(0, "seed", 0, long.MaxValue);
        var data = fields.Required("data") is { } dataNode ? DataReader.Read(dataNode, errors) : null;
        var model = fields.Required("model") is { } modelNode ? ModelReader.Read(modelNode, errors) : new ModelDraft();
        var lossNode = fields.Find("losses") is null ? fields.Required("loss") : fields.Find("loss");
        var loss = lossNode is null ? null : Vocabulary.Losses.Read(lossNode, "loss", errors);
        LossFit.Check(data, model, loss, errors);
        var optimizer = fields.Required("optimizer") is { } optimizerNode ? OptimizerReader.Read(optimizerNode, errors) : null;
        var training = fields.Required("training") is { } trainingNode
            ? TrainingReader.Read(trainingNode, HasTestData(data), errors)
            : null;
        var parallelism = fields.Find("parallelism") is { } parallelismNode
            ? ParallelismReader.Read(parallelismNode, model.LayerCount, errors)
            : new Parallelism();
        var checkpoints = fields.Find("checkpoints") is { } checkpointsNode
            ? TrainingReader.ReadCheckpoints(checkpointsNode, errors)
            : new CheckpointPlan();
        var job = name is null || seed is null || data is null || model.Model is null || loss is null || optimizer is null
            || training is null
            ? null
            : new TrainingJob
            {
                Name = name,
                Seed = seed.Value,
                Data = data,
                Model = model.Model,
                Loss = loss.Value,
                Optimizer = optimizer,
                Training = training,
                Parallelism = parallelism,
                Checkpoints = checkpoints,
            };
        if (job is not null && errors.None)
        {
            SizeLimits.Check(job, model, errors);
        }

        return job;
    }

    private static bool? HasTestData(DataSource? data) => data switch
    {
        null => null,
        IdxData idx => idx.Test is not null,
        DigitsData digits => digits.TestExamples > 0,
        SpiralsData spirals => spirals.TestExamples > 0,
        XorData xor => xor.TestExamples > 0,
        _ => throw new NotSupportedException($"Data of type {data.GetType().Name} is not known here."),
    };
}
