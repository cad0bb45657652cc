using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// <c>backprop train --nodes N</c> flat out for minutes, twice the same job: no node may ever take another for dead, and
/// the weights are the same.
/// </summary>
/// <param name="output">Where it says what it saw.</param>
/// <param name="nodes">Child processes, ≥ 1.</param>
internal sealed class LoadBenchmark(TextWriter output, int nodes)
{
    private const long TrialSteps = 1000;
    private const double SecondsPerMinute = 60;

    // What Akka.Cluster says when a process was starved for so long that others could take it for dead, and what the
    // command says when one was.
    private static readonly string[] _alarms = ["heartbeat was delayed", "unreachable", "ended with exit code"];

    private readonly List<string> _alarming = [];

    /// <summary>Runs and prints.</summary>
    /// <param name="minutes">About how long, over both runs.</param>
    /// <returns>Whether all was well.</returns>
    public async Task<bool> RunAsync(double minutes)
    {
        output.WriteLine(Machine.Describe());
        var trial = await TrainAsync("trial", TrialSteps);
        var steps = (long)Math.Max(TrialSteps, trial.SamplesPerSecond / MlpWorkload.Batch * minutes * SecondsPerMinute / 2);
        var first = await TrainAsync("first", steps);
        var second = await TrainAsync("second", steps);
        foreach (var line in _alarming)
        {
            output.WriteLine($"  ALARM: {line}");
        }

        var isSame = first.WeightsSha256 == second.WeightsSha256;
        output.WriteLine(isSame ? "same weights" : $"DIFFERENT WEIGHTS: {first.WeightsSha256}, {second.WeightsSha256}");
        output.WriteLine($"{_alarming.Count} alarms");
        return isSame && _alarming.Count == 0;
    }

    private async Task<Completed> TrainAsync(string name, long steps)
    {
        var folder = Directory.CreateTempSubdirectory("backprop-load-");
        try
        {
            var job = Path.Combine(folder.FullName, "load.yaml");
            await File.WriteAllTextAsync(job, JobOf(steps));
            var completed = await RunAsync(job);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {steps} steps on {nodes} nodes in {completed.WallSeconds:F0} s, {completed.SamplesPerSecond:N0} examples/s"));
            return completed;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<Completed> RunAsync(string job)
    {
        var start = new ProcessStartInfo(
            Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"),
            [
                Path.Combine(AppContext.BaseDirectory, "backprop.dll"),
                "train",
                job,
                "--json",
                "--nodes",
                nodes.ToString(CultureInfo.InvariantCulture),
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = ListenAsync(process.StandardError);
        var last = "";
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            last = line;
        }

        await errors;
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? Completed.Read(last)
            : throw new InvalidOperationException($"Training ended with exit code {process.ExitCode}: {last}");
    }

    private async Task ListenAsync(StreamReader errors)
    {
        while (await errors.ReadLineAsync() is { } line)
        {
            await Console.Error.WriteLineAsync(line);
            if (_alarms.Any(alarm => line.Contains(alarm, StringComparison.OrdinalIgnoreCase)))
            {
                _alarming.Add(line);
            }
        }
    }

    // All that goes between nodes: activations and deltas between stages, and averages between replicas.
    private static string JobOf(long steps) => string.Create(CultureInfo.InvariantCulture, $$"""
        name: load
        seed: 7
        data: { format: digits, train: { examples: {{MlpWorkload.Examples}} }, test: { examples: 500 } }
        model:
          input: [784]
          layers:
            - dense: { units: 512, activation: relu }
            - dense: { units: 256, activation: relu }
            - dense: { units: 10 }
        loss: softmaxCrossEntropy
        optimizer: { sgd: { learningRate: 0.1, momentum: 0.9 } }
        training: { batchSize: {{MlpWorkload.Batch}}, microBatches: 2, steps: {{steps}} }
        parallelism: { replicas: 3, stages: 2, schedule: 1f1b }
        """);

    private sealed record Completed(string WeightsSha256, double SamplesPerSecond, double WallSeconds)
    {
        public static Completed Read(string line)
        {
            using var json = JsonDocument.Parse(line);
            var happened = json.RootElement;
            return new Completed(
                happened.GetProperty("weightsSha256").GetString()!,
                happened.GetProperty("samplesPerSecond").GetDouble(),
                happened.GetProperty("wallSeconds").GetDouble());
        }
    }
}
