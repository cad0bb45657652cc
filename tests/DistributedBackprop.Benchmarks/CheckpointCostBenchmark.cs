using System.Diagnostics;
using System.Globalization;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// What checkpoints every 100 steps cost where a step takes more than 10 ms: the same job with them and without, in turns, on
/// one node that keeps its jobs in SQLite. A network of dense layers alone has more state for its work than any other.
/// </summary>
internal static class CheckpointCostBenchmark
{
    private const int Pairs = 7;
    private const int Every = 100;
    private const long FirstStep = 50;
    private const long LastStep = 450;
    private const long Steps = 500;

    public static async Task RunAsync(TextWriter output)
    {
        output.WriteLine(Machine.Describe());
        var folder = Directory.CreateTempSubdirectory("backprop-bench-").FullName;
        await using (var node = await ClusterNode.StartAsync(new NodeOptions("one", new NodeSecret(Guid.NewGuid().ToString()))
        {
            Roles = [NodeOptions.Coordinator, NodeOptions.Worker],
            Storage = new StorageOptions(folder, null),
            IsLast = true,
        }))
        {
            await node.UpAsync(CancellationToken.None);
            await MeasureAsync(output, node);
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task MeasureAsync(TextWriter output, ClusterNode node)
    {
        var (without, with, ratios) = (new Samples(), new Samples(), new Samples());
        await SecondsAsync(node, "warm-up", Every);
        for (var pair = 0; pair < Pairs; pair++)
        {
            // The one that comes second has no advantage of it over all pairs.
            var isFirst = pair % 2 == 0;
            var first = await SecondsAsync(node, $"first-{pair}", isFirst ? Every : Steps + 1);
            var second = await SecondsAsync(node, $"second-{pair}", isFirst ? Steps + 1 : Every);
            var (checkpoints, none) = isFirst ? (first, second) : (second, first);
            with.Add(checkpoints * 1e6 / (LastStep - FirstStep));
            without.Add(none * 1e6 / (LastStep - FirstStep));
            ratios.Add(none / checkpoints);
        }

        output.WriteLine($"checkpoints every {Every} steps, {Pairs} pairs; µs for a step without {without}, with {with}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  throughput with them beside without, middle of the pairs: {ratios.Median:F3}"));
    }

    private static async Task<double> SecondsAsync(ClusterNode node, string id, long every)
    {
        var job = MlpWorkload.Job(Steps, widening: 3) with
        {
            Training = new TrainingPlan { BatchSize = 3 * MlpWorkload.Batch, Steps = Steps },
            Checkpoints = new CheckpointPlan { EverySteps = every },
        };
        var run = new JobRun(id, job, Graph.Of(job.Model, job.Seed), MlpWorkload.Data, null);
        var (begin, end, saved) = (0L, 0L, 0);
        using var result = await node.RunAsync(run, happened =>
        {
            switch (happened)
            {
                case StepDone { Step: FirstStep }:
                    begin = Stopwatch.GetTimestamp();
                    break;
                case StepDone { Step: LastStep }:
                    end = Stopwatch.GetTimestamp();
                    break;
                case CheckpointSaved { Step: <= LastStep }:
                    saved++;
                    break;
            }
        });
        var expected = every > Steps ? 0 : LastStep / every;
        return result.Outcome is TrainingCompleted && saved == expected
            ? Stopwatch.GetElapsedTime(begin, end).TotalSeconds
            : throw new InvalidOperationException($"{result.Outcome}; {saved} checkpoints, not {expected}");
    }
}
