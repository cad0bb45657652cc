using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Data;

/// <summary>Turns what a job says about its data into examples.</summary>
public static class DataLoader
{
    /// <summary>Reads or generates the examples of a job.</summary>
    /// <param name="job">The job.</param>
    /// <param name="output">The shape of the network's output for one example.</param>
    /// <param name="dataRoot">The folder below which files must lie; not looked at for generated data.</param>
    /// <exception cref="DataException">The data cannot be used.</exception>
    public static DataSet Load(TrainingJob job, Shape output, string dataRoot)
    {
        ArgumentNullException.ThrowIfNull(job);
        return Load(job.Data, job.Seed, dataRoot, ClassesOf(job.Loss, output.Length));
    }

    /// <summary>Reads or generates the examples of a job.</summary>
    /// <param name="source">What the job says.</param>
    /// <param name="seed">The job's seed: the key of what is generated.</param>
    /// <param name="dataRoot">The folder below which files must lie; not looked at for generated data.</param>
    /// <param name="classes">How many classes the model tells apart, ≥ 1; null where labels are not classes.</param>
    /// <param name="tiles">Who runs the drawing of examples; null: the caller's thread. The bits are the same.</param>
    /// <exception cref="DataException">The data cannot be used.</exception>
    public static DataSet Load(DataSource source, long seed, string dataRoot, int? classes, ITiles? tiles = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        tiles ??= SequentialTiles.Instance;
        var set = source switch
        {
            IdxData idx => LoadIdx(idx, dataRoot, classes),
            DigitsData digits => new DataSet(
                DigitGenerator.Generate(seed, "data.train", digits.TrainExamples, digits.Noise, tiles),
                digits.TestExamples == 0
                    ? null
                    : DigitGenerator.Generate(seed, "data.test", digits.TestExamples, digits.Noise, tiles),
                (float)(digits.Scale / 255.0)),
            SpiralsData spirals => new DataSet(
                SpiralGenerator.Generate(seed, "data.train", spirals.TrainExamples, spirals),
                spirals.TestExamples == 0 ? null : SpiralGenerator.Generate(seed, "data.test", spirals.TestExamples, spirals),
                (float)spirals.Scale),
            XorData xor => new DataSet(
                XorGenerator.Generate(seed, "data.train", xor.TrainExamples, xor.Noise),
                xor.TestExamples == 0 ? null : XorGenerator.Generate(seed, "data.test", xor.TestExamples, xor.Noise),
                (float)xor.Scale),
            _ => throw new ArgumentException($"There is no loader for {source.GetType().Name}.", nameof(source)),
        };

        if (set.Classes > classes)
        {
            throw new DataException(
                "data", $"has labels up to {set.Classes - 1}", $"0 … {classes - 1}, since the model ends in {classes} units");
        }

        return set;
    }

    private static DataSet LoadIdx(IdxData idx, string dataRoot, int? classes)
    {
        var root = new DataRoot(dataRoot);
        var train = LoadIdx(root, idx.Train, classes);
        var test = idx.Test is null ? null : LoadIdx(root, idx.Test, classes);
        if (test is not null && !test.Shape.Equals(train.Shape))
        {
            throw new DataException(
                idx.Test!.Features, $"has examples of shape {test.Shape}", $"{train.Shape}, as in {idx.Train.Features}");
        }

        return new DataSet(train, test, (float)idx.Scale);
    }

    private static Examples LoadIdx(DataRoot root, IdxFiles files, int? classes)
    {
        using var features = Open(root, files.Features);
        using var labels = Open(root, files.Labels);
        try
        {
            return IdxReader.Read(features, files.Features, labels, files.Labels, classes);
        }
        catch (IOException cause)
        {
            throw new DataException(files.Features, $"cannot be read: {cause.Message}", null, null, cause);
        }
    }

    private static FileStream Open(DataRoot root, string relative)
    {
        var path = root.Resolve(relative);
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new DataException(relative, $"{path} cannot be opened: {cause.Message}", null, null, cause);
        }
    }

    // How many labels the output can tell apart: one logit tells two, one number any.
    private static int? ClassesOf(LossKind loss, int outputs) => (loss, outputs) switch
    {
        (LossKind.BinaryCrossEntropy, 1) => 2,
        (LossKind.MeanSquaredError, 1) => null,
        _ => outputs,
    };
}
