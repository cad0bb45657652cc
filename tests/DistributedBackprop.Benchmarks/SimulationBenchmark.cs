using System.Diagnostics;
using System.Globalization;
using System.Text;
using DistributedBackprop.Simulation.Clusters;

namespace DistributedBackprop.Benchmarks;

/// <summary>What simulating a large cluster costs: one job of 16 replicas of 20 layers, on more and more nodes.</summary>
internal static class SimulationBenchmark
{
    private const int Replicas = 16;
    private const int Layers = 20;
    private const int Steps = 20;

    /// <summary>Measures and prints.</summary>
    public static void Run(TextWriter output)
    {
        var job = SimulatedJob.Parse(Text());

        // What is compiled in the first run is not what a message costs.
        Simulate(job, 2);
        output.WriteLine($"{Replicas} replicas, {Layers} layers, {Steps} steps, simulated");
        output.WriteLine($"{"nodes",6}{"seconds",10}{"messages",12}{"turns, timers",15}{"µs each",9}  weights");
        foreach (var nodes in new[] { 1, 2, 4, 8, 16 })
        {
            var (seconds, messages, turns, weights) = Simulate(job, nodes);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{nodes,6}{seconds,10:F2}{messages,12}{turns,15}{seconds * 1e6 / turns,9:F2}  {weights}"));
        }
    }

    // Control messages and tensors between nodes with those between actors; a tensor that crosses takes several timers.
    private static (double Seconds, long Messages, long Turns, string Weights) Simulate(SimulatedJob job, int nodes)
    {
        var start = Stopwatch.GetTimestamp();
        using var cluster = new SimulatedCluster(1, job, nodes);
        cluster.RunToEnd();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (seconds, cluster.Loop.MessageCount + cluster.Messages, cluster.Loop.StepCount, cluster.WeightsSha256!);
    }

    private static string Text()
    {
        var layers = new StringBuilder();
        for (var layer = 1; layer < Layers; layer++)
        {
            layers.Append("    - dense: { units: 6, activation: tanh }\n");
        }

        return $$"""
            name: large
            seed: 5
            data: { format: xor, train: { examples: 640 } }
            model:
              input: [2]
              layers:
            {{layers}}    - dense: { units: 2 }
            loss: softmaxCrossEntropy
            optimizer: { adam: { learningRate: 0.01 } }
            training: { batchSize: 64, microBatches: 2, epochs: 2 }
            parallelism: { replicas: {{Replicas}}, stages: 1, averaging: gradients }
            """;
    }
}
