using System.Globalization;
using System.Text;
using DistributedBackprop.Simulation.Clusters;

namespace DistributedBackprop.Benchmarks;

/// <summary>What simulating a large cluster costs, and whether a message costs more where there are more nodes.</summary>
/// <remarks>
/// A message's cost is taken from the first step on, in rounds that take all sizes in turn; the median of them is shown. What
/// comes before the first step, an actor system for each node above all, is shown by itself: it belongs to nodes, and where
/// few messages follow it would pass for theirs. Where the network grows with the nodes, one processor's caches hold what
/// many would: the same networks on four nodes show what of it is due to that.
/// </remarks>
internal static class SimulationBenchmark
{
    private const int Rounds = 5;

    // The runtime compiles what is hot anew, beside the run, for about a million turns; until then that is what would show.
    private const long TurnsBefore = 3_000_000;

    private const int KindsShown = 10;

    /// <summary>Measures and prints.</summary>
    public static void Run(TextWriter output)
    {
        output.WriteLine("one job, 16 replicas of 20 layers, 20 steps, on more and more nodes");
        var large = Job(replicas: 16, stages: 1, layers: 20, microBatches: 2, epochs: 2);
        Compare(output, [.. new[] { 1, 2, 4, 8, 16 }.Select(nodes => (large, nodes))]);
        output.WriteLine();
        output.WriteLine("as much for each node: a stage of five layers of one of two replicas, 100 steps");
        int[] sizes = [4, 8, 16, 32];
        Compare(output, [.. sizes.Select(nodes => (Even(nodes), nodes))]);
        output.WriteLine();
        output.WriteLine("the same networks, all on four nodes");
        Compare(output, [.. sizes.Select(nodes => (Even(nodes), 4))]);
        output.WriteLine();
        output.WriteLine("the same, µs of a message by its kind (those that were handled most often)");
        CompareKinds(output, sizes, Even);
    }

    private static SimulatedJob Even(int nodes) =>
        Job(replicas: 2, stages: nodes / 2, layers: 5 * nodes / 2, microBatches: 4, epochs: 10);

    private static void Compare(TextWriter output, IReadOnlyList<(SimulatedJob Job, int Nodes)> rows)
    {
        for (var turns = 0L; turns < TurnsBefore;)
        {
            turns += rows.Sum(row => SimulationCost.Of(row.Job, row.Nodes).Turns);
        }

        var costs = rows.Select(_ => new List<SimulationCost>()).ToList();
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var (number, (job, nodes)) in rows.Index())
            {
                costs[number].Add(SimulationCost.Of(job, nodes));
            }
        }

        output.WriteLine(
            $"{"nodes",6}{"layers",8}{"set-up s",10}{"seconds",9}{"messages",10}{"crossings",11}{"turns",9}{"µs each",9}{"± %",5}{"bytes",7}{"GC µs",7}  weights");
        foreach (var ((job, nodes), taken) in rows.Zip(costs))
        {
            var ordered = taken.OrderBy(cost => cost.Seconds).ToList();
            var cost = ordered[Rounds / 2];
            var spread = 50 * (ordered[^1].Seconds - ordered[0].Seconds) / cost.Seconds;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{nodes,6}{job.Job.Model.Layers.Length,8}{cost.SetUp,10:F2}{cost.Seconds,9:F3}{cost.Messages,10}{cost.Crossings,11}{cost.Turns,9}"
                + $"{cost.Seconds * 1e6 / cost.Turns,9:F2}{spread,5:F0}{cost.Bytes / cost.Turns,7}{cost.Collecting * 1e6 / cost.Turns,7:F2}"
                + $"  {cost.Weights[..16]}"));
        }
    }

    private static void CompareKinds(TextWriter output, int[] sizes, Func<int, SimulatedJob> jobOf)
    {
        var kinds = sizes.ToDictionary(nodes => nodes, nodes => SimulationCost.ByKind(jobOf(nodes), nodes));
        output.WriteLine($"{"nodes",-24}{string.Concat(sizes.Select(nodes => $"{nodes,8}"))}");
        foreach (var kind in kinds[sizes[^1]].OrderByDescending(kind => kind.Value.Count).Take(KindsShown).Select(kind => kind.Key))
        {
            var means = sizes.Select(nodes => kinds[nodes].TryGetValue(kind, out var found)
                ? string.Create(CultureInfo.InvariantCulture, $"{found.Seconds * 1e6 / found.Count,8:F2}")
                : $"{"-",8}");
            output.WriteLine($"{kind,-24}{string.Concat(means)}");
        }
    }

    private static SimulatedJob Job(int replicas, int stages, int layers, int microBatches, int epochs)
    {
        var text = new StringBuilder();
        for (var layer = 1; layer < layers; layer++)
        {
            text.Append("    - dense: { units: 6, activation: tanh }\n");
        }

        return SimulatedJob.Parse(string.Create(CultureInfo.InvariantCulture, $$"""
            name: large
            seed: 5
            data: { format: xor, train: { examples: 640 } }
            model:
              input: [2]
              layers:
            {{text}}    - dense: { units: 2 }
            loss: softmaxCrossEntropy
            optimizer: { adam: { learningRate: 0.01 } }
            training: { batchSize: 64, microBatches: {{microBatches}}, epochs: {{epochs}} }
            parallelism: { replicas: {{replicas}}, stages: {{stages}}, averaging: gradients }
            """));
    }
}
