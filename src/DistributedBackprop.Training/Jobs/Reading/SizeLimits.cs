using System.Globalization;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>
/// Bounds on what a job may ask for, so that a slip of the keyboard is refused in words before memory is taken. The bounds
/// are the same everywhere: whether a job is valid must not depend on the machine that reads it.
/// </summary>
internal static class SizeLimits
{
    /// <summary>Replicas: each tells every other of every update, so messages grow with the square.</summary>
    public const int ReplicasMax = 1024;

    /// <summary>Micro-batches of a replica's step: each is a message along every edge.</summary>
    public const int MicroBatchesMax = 4096;

    /// <summary>Layers of a model: each is an actor.</summary>
    public const int LayersMax = 2048;

    /// <summary>Stages: cutting layers into them takes stages × layers² operations.</summary>
    public const int StagesMax = 256;

    /// <summary>Examples of one generated set.</summary>
    public const int GeneratedExamplesMax = 10_000_000;

    private const int TensorMax = TensorPool.LargestFloats;
    private const long GibibytesMax = 1024;

    // How many examples a replica judges at once.
    private const int EvaluationRows = 256;

    /// <summary>Checks a job that is otherwise valid.</summary>
    /// <param name="job">The job.</param>
    /// <param name="draft">Its model, with places.</param>
    /// <param name="errors">Takes what is wrong.</param>
    public static void Check(TrainingJob job, ModelDraft draft, JobErrors errors)
    {
        var rows = RowsAtOnce(job);
        CheckTensor("input", draft.InputAt, rows * job.Model.Input.Length, "one micro-batch", errors);
        foreach (var (layer, shapes, at) in job.Model.Layers.Zip(ModelShapes.Of(job.Model), draft.LayersAt))
        {
            CheckTensor(layer.Name, at, Math.Max(shapes.ParameterCount, MemoryNeed.Packed(layer, shapes)), "its parameters", errors);
            CheckTensor(layer.Name, at, rows * shapes.Output.Length, "the output of one micro-batch", errors);
        }

        var gibibytes = MemoryNeed.Bytes(job) / (1 << 30);
        if (errors.None && gibibytes > GibibytesMax)
        {
            errors.Value(draft.InputAt, string.Create(
                CultureInfo.InvariantCulture,
                $"model, replicas, batch and examples together must need at most {GibibytesMax} GiB of memory (was about {gibibytes:F0})"));
        }
    }

    private static void CheckTensor(string name, Position at, double elements, string what, JobErrors errors)
    {
        if (elements > TensorMax)
        {
            errors.Value(at, string.Create(
                CultureInfo.InvariantCulture,
                $"{name} must have at most {TensorMax} numbers in {what}, as many as fit into one tensor (was {elements:F0})"));
        }
    }

    // Of data files the job does not know the length: a batch may ask for more than there is.
    private static double RowsAtOnce(TrainingJob job)
    {
        var (train, test) = MemoryNeed.GeneratedExamples(job.Data);
        var slices = (double)job.Parallelism.Replicas * job.Training.MicroBatches;
        return Math.Max(Math.Ceiling(Math.Min(job.Training.BatchSize, train) / slices), Math.Min(EvaluationRows, test));
    }
}
