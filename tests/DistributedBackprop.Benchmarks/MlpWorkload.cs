using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Server.Local;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// What is trained: 784-512-256-10 with relu and softmax cross-entropy, SGD 0.1 with momentum 0.9, batches of 128, on
/// 8,000 drawn digits of MNIST's size, kept as bytes.
/// </summary>
internal static class MlpWorkload
{
    public const int Examples = 8000;
    public const int Batch = 128;
    private const long Seed = 7;

    private static readonly Lazy<DataSet> _data = new(() =>
        DataLoader.Load(new DigitsData(Examples, TestExamples: 0), Seed, ".", 10));

    /// <summary>The examples; no test set, so that nothing but training is measured.</summary>
    public static DataSet Data => _data.Value;

    /// <summary>The job.</summary>
    /// <param name="steps">How long.</param>
    /// <param name="replicas">Over how many replicas the batch is cut.</param>
    /// <param name="widening">The hidden layers' units as a multiple of 512 and 256.</param>
    public static TrainingJob Job(long steps, int replicas = 1, int widening = 1)
    {
        var relu = new Activation(ActivationFunction.Relu);
        var initializer = new Initializer(InitializerKind.Default);
        return new TrainingJob
        {
            Name = "mlp",
            Seed = Seed,
            Data = new DigitsData(Examples, TestExamples: 0),
            Model = new Model(new Shape(784),
            [
                new ModelLayer("dense1", [Model.InputName], new DenseKind(512 * widening, relu, true, initializer)),
                new ModelLayer("dense2", ["dense1"], new DenseKind(256 * widening, relu, true, initializer)),
                new ModelLayer("dense3", ["dense2"], new DenseKind(10, null, true, initializer)),
            ]),
            Loss = LossKind.SoftmaxCrossEntropy,
            Optimizer = new SgdChoice { LearningRate = new ConstantRate(0.1), Momentum = 0.9 },
            Training = new TrainingPlan { BatchSize = Batch, Steps = steps },
            Parallelism = new Parallelism { Replicas = replicas },
        };
    }

    /// <summary>Steps of some epochs.</summary>
    public static long StepsOf(int epochs) => epochs * (long)((Examples + Batch - 1) / Batch);

    /// <summary>Trains through the actors.</summary>
    /// <exception cref="InvalidOperationException">Training failed.</exception>
    public static async Task<TrainingCompleted> TrainAsync(
        LocalTraining node, TrainingJob job, Action<TrainingEvent>? observe = null)
    {
        var run = new JobRun("benchmark", job, Graph.Of(job.Model, job.Seed), Data, null);
        using var result = await node.RunAsync(run, observe ?? (_ => { }));
        return result.Outcome as TrainingCompleted ?? throw new InvalidOperationException($"Training did not end well: {result.Outcome}");
    }
}
