using System.Globalization;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// Parameter averaging (local SGD with DiLoCo's outer optimizer) beside gradient averaging: bytes between nodes and test
/// accuracy, for four replicas on as many nodes.
/// </summary>
internal static class LocalSgdBenchmark
{
    private const int Replicas = 4;
    private const int Epochs = 20;

    /// <summary>Measures and prints.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="dataRoot">The folder of MNIST's four files, whole or a part.</param>
    public static async Task RunAsync(TextWriter output, string dataRoot)
    {
        output.WriteLine(Machine.Describe());
        var gradients = MlpWorkload.Job(1, Replicas) with
        {
            Data = new IdxData(
                new IdxFiles("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
                new IdxFiles("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"))
            { Scale = 1.0 / 255 },
            Training = new TrainingPlan { BatchSize = MlpWorkload.Batch, Epochs = Epochs },
        };
        var parameters = gradients with
        {
            Parallelism = gradients.Parallelism with
            {
                Averaging = new ParameterAveraging(50, new OuterOptimizer(0.7, 0.5, Nesterov: true)),
            },
        };
        await using var cluster = await PinnedCluster.StartAsync(Replicas, dataRoot);
        var data = DataLoader.Load(gradients, new Training.Tensors.Shape(10), dataRoot);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"MLP 784-512-256-10, {Replicas} replicas on {Replicas} nodes, {Epochs} epochs"));
        var every = await MeasureAsync(output, "gradients, every step     ", cluster, gradients, data);
        var rounds = await MeasureAsync(output, "parameters, every 50 steps", cluster, parameters, data);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"  gradient averaging sends {every / (double)rounds:F1} times as many bytes"));
    }

    private static async Task<long> MeasureAsync(
        TextWriter output, string name, PinnedCluster cluster, TrainingJob job, DataSet data)
    {
        var (completed, generations) = await PinnedCluster.TrainAsync(cluster.Training, job, data);
        var nodes = generations.SelectMany(generation => generation.Nodes).ToList();
        var bytes = nodes.Sum(node => node.AveragingBytes);
        var rounds = nodes.Max(node => node.AveragingRounds);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {name}  test accuracy {completed.TestAccuracy:P2}  {bytes / 1e6:N1} MB in {rounds:N0} rounds of {bytes / (double)rounds:N0} bytes  {completed.SamplesPerSecond:N0} examples/s"));
        return bytes;
    }
}
