using System.Globalization;
using DistributedBackprop.Server.Local;

namespace DistributedBackprop.Benchmarks;

/// <summary>Our training through layer actors beside PyTorch's, in turns (theirs, ours, theirs, …), in examples per second.</summary>
internal static class TrainingBenchmark
{
    private const int Rounds = 9;

    // About a second and a half on one core.
    private const int Epochs = 6;

    // PyTorch's threads spin for a while after their last kernel.
    private static readonly TimeSpan _untilIdle = TimeSpan.FromMilliseconds(200);

    /// <summary>Measures with one thread and with two, and prints. Takes about a minute and a half.</summary>
    public static async Task RunAsync(TextWriter output)
    {
        output.WriteLine(Machine.Describe());
        output.WriteLine(
            $"MLP 784-512-256-10, batch {MlpWorkload.Batch}, SGD with momentum; {Rounds} rounds of {Epochs} epochs of"
            + $" {MlpWorkload.Examples} examples in turns; examples/s: median (least … most)");
        await CompareAsync(output, 1, [1]);
        await CompareAsync(output, 2, [1, 2]);
    }

    private static async Task CompareAsync(TextWriter output, int threads, int[] replicas)
    {
        using var peer = TorchPeer.Start(threads);
        var theirName = peer?.Description ?? "not installed: apt-get install python3-torch libopenblas0-pthread";
        output.WriteLine($"{threads} thread(s), theirs: {theirName}");
        await using var node = await LocalTraining.StartAsync(threads);
        var theirs = new Samples();
        var ours = replicas.Select(_ => new Samples()).ToArray();
        for (var round = -1; round < Rounds; round++)
        {
            if (peer is not null)
            {
                Keep(theirs, round, peer.Train(Epochs));
                await Task.Delay(_untilIdle);
            }

            for (var i = 0; i < replicas.Length; i++)
            {
                var job = MlpWorkload.Job(MlpWorkload.StepsOf(Epochs), replicas[i]);
                Keep(ours[i], round, (await MlpWorkload.TrainAsync(node, job)).SamplesPerSecond);
            }
        }

        if (peer is not null)
        {
            output.WriteLine($"  {"PyTorch",-12} {theirs}");
        }

        for (var i = 0; i < replicas.Length; i++)
        {
            var ratio = peer is null ? "" : string.Create(CultureInfo.InvariantCulture, $"  {ours[i].Median / theirs.Median:F2}×");
            output.WriteLine($"  {Replicas(replicas[i]),-12} {ours[i]}{ratio}");
        }
    }

    // The round before the first is the warm-up.
    private static void Keep(Samples samples, int round, double value)
    {
        if (round >= 0)
        {
            samples.Add(value);
        }
    }

    private static string Replicas(int count) => count == 1 ? "1 replica" : $"{count} replicas";
}
