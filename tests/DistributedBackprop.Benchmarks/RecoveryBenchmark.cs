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

    /// <summary>Measures and prints. Takes about ten minutes.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="kills">How often it is killed to see how soon the job goes on; 0: that is not measured.</param>
    /// <param name="program">What workers run; null: what was built with this.</param>
    public static async Task RunAsync(TextWriter output, int kills, string? program = null)
    {
        output.WriteLine(Machine.Describe());
        var secret = Guid.NewGuid().ToString();
        var coordinator = await ClusterNode.StartAsync(
            new NodeOptions("head", new NodeSecret(secret)) { Roles = [NodeOptions.Coordinator], IsLast = true });
        var workers = new WorkerProcesses(coordinator, secret, program ?? Path.Combine(AppContext.BaseDirectory, "backprop.dll"));
        await using var benchmark = new RecoveryBenchmark(coordinator, workers);
        await benchmark.MeasureAsync(output, kills);
    }

    public async ValueTask DisposeAsync()
    {
        _workers.Dispose();
        await _coordinator.DisposeAsync();
        _end.Dispose();
    }

    private async Task MeasureAsync(TextWriter output, int kills)
    {
        for (var worker = 0; worker < Workers; worker++)
        {
            await _workers.AddAsync(_patience);
        }

        var job = MlpWorkload.Job(MlpWorkload.StepsOf(100_000), replicas: Workers);
        var run = new JobRun("benchmark", job, Graph.Of(job.Model, job.Seed), MlpWorkload.Data, null);
        var training = Task.Run(() => _coordinator.RunAsync(run, _steps.Hear, _end.Token));
        await _steps.UntilAsync(_steps.Highest + (10 * StepsBetween), _patience);
        if (kills > 0)
        {
            await MeasureKillsAsync(output, kills);
        }

        await MeasureThroughputAsync(output);
        await _end.CancelAsync();
        using var result = await training;
        output.WriteLine($"  it ended as {result.Outcome.GetType().Name}, recovered {_steps.Generations - 1} times");
    }

    private async Task MeasureKillsAsync(TextWriter output, int kills)
    {
        var took = new List<double>();
        for (var kill = 0; kill < kills; kill++)
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
            $"a worker of three killed, {kills} times; seconds to the first step above the highest that was reported: p50 {took[kills / 2]:F2}, p99 {took[Math.Max(0, (kills * 99 / 100) - 1)]:F2}, most {took[^1]:F2}"));
    }

    private async Task MeasureThroughputAsync(TextWriter output)
    {
        const int Turns = 8;
        const int Spans = 30;
        var span = _everySoOften / Spans;
        await _steps.UntilPlacedOnAsync(Workers, _patience);
        var (quiet, disturbed) = (new long[Spans], new long[Spans]);
        for (var turn = 0; turn < Turns; turn++)
        {
            Add(quiet, await _steps.CountsAsync(span, Spans));
            var counting = _steps.CountsAsync(span, Spans);
            _workers.Kill();
            await _workers.AddAsync(_patience);
            Add(disturbed, await counting);
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a worker killed and started again every {_everySoOften.TotalSeconds:F0} s, {Turns} times in turns with as long undisturbed: {disturbed.Sum():N0} steps beside {quiet.Sum():N0}, {(double)disturbed.Sum() / quiet.Sum():F2}"));
        var mean = (double)quiet.Sum() / Spans;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  of the undisturbed, in each {span.TotalSeconds:F1} s from the kill on: {string.Join(' ', disturbed.Select(count => (count / mean).ToString("F2", CultureInfo.InvariantCulture)))}"));
    }

    private static void Add(long[] sums, long[] counts)
    {
        for (var i = 0; i < sums.Length; i++)
        {
            sums[i] += counts[i];
        }
    }
}
