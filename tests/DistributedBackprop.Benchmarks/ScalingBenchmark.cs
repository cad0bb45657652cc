using System.Globalization;
using DistributedBackprop.Server.Local;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// Two processes of one core each beside one process on one core, with the same batch for each, and beside two trainings at
/// once that have nothing to do with each other: what two cores of this machine can do at most, for they share its memory.
/// </summary>
internal static class ScalingBenchmark
{
    private const int Rounds = 7;
    private const int Batch = 512;
    private const int Steps = 200;

    // Until the compiler of a node is done with what training calls.
    private const int WarmUps = 4;

    /// <summary>Starts all it takes, measures and prints. Takes about a minute.</summary>
    public static async Task RunAsync(TextWriter output)
    {
        output.WriteLine(Machine.Describe());
        await using var cluster = await PinnedCluster.StartAsync(2);
        await MeasureAsync(output, cluster);
    }

    /// <summary>Measures and prints.</summary>
    public static async Task MeasureAsync(TextWriter output, PinnedCluster cluster)
    {
        await using var alone = await LocalTraining.StartAsync(1);
        await using var other = await LocalTraining.StartAsync(1);
        var single = OfBatch(MlpWorkload.Job(Steps), Batch);
        var twice = OfBatch(MlpWorkload.Job(Steps, replicas: 2), 2 * Batch);
        await Task.WhenAll(MlpWorkload.TrainAsync(alone, single), MlpWorkload.TrainAsync(other, single));
        for (var round = 0; round < WarmUps; round++)
        {
            await cluster.RateAsync(twice);
        }

        var (one, both, two) = (new Samples(), new Samples(), new Samples());
        for (var round = 0; round < Rounds; round++)
        {
            one.Add((await MlpWorkload.TrainAsync(alone, single)).SamplesPerSecond);
            var unrelated = await Task.WhenAll(MlpWorkload.TrainAsync(alone, single), MlpWorkload.TrainAsync(other, single));
            both.Add(unrelated.Sum(training => training.SamplesPerSecond));
            two.Add(await cluster.RateAsync(twice));
        }

        output.WriteLine($"MLP 784-512-256-10, {Batch} for each process; examples/s: median (least … most)");
        output.WriteLine($"  one process, one core                {one}");
        output.WriteLine($"  two unrelated trainings, both        {both}");
        output.WriteLine($"  two nodes, gradients averaged        {two}");
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  scaling: {two.Median / (2 * one.Median):F2}; of the unrelated: {both.Median / (2 * one.Median):F2}; two nodes over the unrelated: {two.Median / both.Median:F2}"));
    }

    private static TrainingJob OfBatch(TrainingJob job, int batch) =>
        job with { Training = job.Training with { BatchSize = batch } };
}
