using System.Diagnostics;
using System.Globalization;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Training.ChainRule;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// A job on three workers of which one is killed again and again: how long it takes to the first step that nobody had heard
/// of before, and how many steps are done meanwhile beside an undisturbed time of the same length.
/// </summary>
internal sealed class RecoveryBenchmark : IAsyncDisposable
{
    private const int Workers = 3;
    private const int Kills = 50;
    private const int StepsBetween = 150;
    private static readonly TimeSpan _everySoOften = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly ClusterNode _coordinator;
    private readonly WorkerProcesses _workers;
    private readonly StepLog _steps = new();
    private readonly CancellationTokenSource _end = new();

    private RecoveryBenchmark(ClusterNode coordinator, WorkerProcesses workers)
    {
        _coordinator = coordinator;
        _workers = workers;
    }

    /// <summary>Measures and prints. Takes about eight minutes.</summary>
    public static async Task RunAsync(TextWriter output)
    {
        output.WriteLine(Machine.Describe());
        var secret = Guid.NewGuid().ToString();
        var coordinator = await ClusterNode.StartAsync(
            new NodeOptions("head", new NodeSecret(secret)) { Roles = [NodeOptions.Coordinator], IsLast = true });
        await using var benchmark = new RecoveryBenchmark(coordinator, new WorkerProcesses(coordinator, secret));
        await benchmark.MeasureAsync(output);
    }

    public async ValueTask DisposeAsync()
    {
        _workers.Dispose();
        await _coordinator.DisposeAsync();
        _end.Dispose();
    }

    private async Task MeasureAsync(TextWriter output)
    {
        for (var worker = 0; worker < Workers; worker++)
        {
            await _workers.AddAsync(_patience);
        }

        var job = MlpWorkload.Job(MlpWorkload.StepsOf(100_000), replicas: Workers);
        var run = new JobRun("benchmark", job, Graph.Of(job.Model, job.Seed), MlpWorkload.Data, null);
        var training = Task.Run(() => _coordinator.RunAsync(run, _steps.Hear, _end.Token));
        await _steps.UntilAsync(_steps.Highest + (10 * StepsBetween), _patience);
        await MeasureKillsAsync(output);
        await MeasureThroughputAsync(output);
        await _end.CancelAsync();
        using var result = await training;
        output.WriteLine($"  it ended as {result.Outcome.GetType().Name}, recovered {_steps.Generations - 1} times");
    }

    private async Task MeasureKillsAsync(TextWriter output)
    {
        var took = new List<double>();
        for (var kill = 0; kill < Kills; kill++)
        {
            await _steps.UntilPlacedOnAsync(Workers, _patience);
            await _steps.UntilAsync(_steps.Highest + StepsBetween, _patience);
            var clock = Stopwatch.StartNew();
            _workers.Kill();
            await _steps.UntilAsync(_steps.Highest + 1, _patience);
            took.Add(clock.Elapsed.TotalSeconds);
            await _workers.AddAsync(_patience);
        }

        took.Sort();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a worker of three killed, {Kills} times; seconds to the first step above the highest that was reported: p50 {took[Kills / 2]:F2}, p99 {took[(Kills * 99 / 100) - 1]:F2}, most {took[^1]:F2}"));
    }

    private async Task MeasureThroughputAsync(TextWriter output)
    {
        const int Turns = 5;
        await _steps.UntilPlacedOnAsync(Workers, _patience);
        var (quiet, disturbed) = (0L, 0L);
        for (var turn = 0; turn < Turns; turn++)
        {
            quiet += await _steps.CountAsync(_everySoOften);
            var counting = _steps.CountAsync(_everySoOften);
            _workers.Kill();
            await _workers.AddAsync(_patience);
            disturbed += await counting;
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a worker killed and started again every {_everySoOften.TotalSeconds:F0} s, {Turns} times in turns with as long undisturbed: {disturbed:N0} steps beside {quiet:N0}, {(double)disturbed / quiet:F2}"));
    }
}
