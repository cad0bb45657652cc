using System.Globalization;
using DistributedBackprop.Server.Local;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Benchmarks;

/// <summary>What actors and messages cost: time over a plain loop on the same kernels, and memory for each step.</summary>
internal static class ActorBenchmark
{
    private const int Rounds = 15;
    private const int Epochs = 3;
    private const int WarmUpSteps = 200;
    private const int MeasuredSteps = 500;

    /// <summary>Measures and prints. Takes about half a minute.</summary>
    public static async Task RunAsync(TextWriter output)
    {
        await using var node = await LocalTraining.StartAsync(1);
        await OverheadAsync(output, node);
        await AllocationsAsync(output, node, 1);
        await AllocationsAsync(output, node, 4);
    }

    private static async Task OverheadAsync(TextWriter output, LocalTraining node)
    {
        var (loop, actors, ratios) = (new Samples(), new Samples(), new List<double>());
        var pool = new TensorPool();
        var (loopHash, actorHash) = ("", "");
        var job = MlpWorkload.Job(MlpWorkload.StepsOf(Epochs));
        for (var round = -2; round < Rounds; round++)
        {
            using var plain = new PlainLoop(job, pool, SequentialTiles.Instance);
            var loopRate = plain.Train(job.Training.Steps!.Value);
            loopHash = plain.WeightsSha256;
            var completed = await MlpWorkload.TrainAsync(node, job);
            actorHash = completed.WeightsSha256;
            if (round >= 0)
            {
                loop.Add(loopRate);
                actors.Add(completed.SamplesPerSecond);
                ratios.Add(loopRate / completed.SamplesPerSecond);
            }
        }

        ratios.Sort();
        output.WriteLine("actors beside a plain loop on the same kernels, one thread, examples/s: median (least … most)");
        output.WriteLine($"  {"plain loop",-12} {loop}");
        output.WriteLine($"  {"actors",-12} {actors}");
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  overhead: {100 * ((loop.Median / actors.Median) - 1):F1} % of medians, {100 * (ratios[Rounds / 2] - 1):F1} % median of pairs"));
        output.WriteLine($"  weights of both: {(loopHash == actorHash ? "equal" : "DIFFERENT")}, sha256 {loopHash} and {actorHash}");
    }

    private static async Task AllocationsAsync(TextWriter output, LocalTraining node, int widening)
    {
        var (bytes, collections, pooled) = (0L, 0, 0L);
        void Observe(TrainingEvent happened)
        {
            if (happened is not StepDone { Step: var step })
            {
                return;
            }

            var sign = step switch { WarmUpSteps => -1, WarmUpSteps + MeasuredSteps => 1, _ => 0 };
            if (sign != 0)
            {
                bytes += sign * GC.GetTotalAllocatedBytes(precise: true);
                collections += sign * GC.CollectionCount(0);
                pooled += sign * node.Pool.AllocatedBytes;
            }
        }

        var job = MlpWorkload.Job(WarmUpSteps + MeasuredSteps + 10, widening: widening);
        await MlpWorkload.TrainAsync(node, job, Observe);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"allocated for each step, 784-{512 * widening}-{256 * widening}-10: {bytes / MeasuredSteps:N0} bytes"
            + $" ({pooled / MeasuredSteps:N0} of them tensors), {collections} collections in {MeasuredSteps} steps"));
    }
}
