using System.Diagnostics;
using System.Text.Json;
using DistributedBackprop.Cli.Tests.Deployment;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Chaos;

/// <summary>
/// A job on the processes of <c>docker-compose.yml</c>, to which blows fall by a plan: each while it runs, and once all
/// nodes are up again, so that it is known what each must cost.
/// </summary>
internal sealed class ChaosRun : IDisposable
{
    /// <summary>The id of the second job, which is handed in while a blow falls.</summary>
    public const string Second = "second";

    private const int Tries = 60;

    // Each end of an epoch is kept before it is told. What was kept right before a blow may be told after it.
    private const int KeptSince = 3;

    private static readonly TimeSpan _moment = TimeSpan.FromMilliseconds(500);
    private static readonly string[] _workers = ["worker1", "worker2", "worker3"];

    private readonly ComposedProcesses _cluster;
    private readonly string _id;
    private BackpropProcess _client;
    private long _generation;
    private long _highest;
    private int _epoch;
    private HashSet<string> _placed = [];
    private Finished? _ended;

    private ChaosRun(ComposedProcesses cluster, string id, BackpropProcess client)
    {
        _cluster = cluster;
        _id = id;
        _client = client;
    }

    /// <summary>What the last one who watched the job heard, to its end.</summary>
    public Finished Ended => _ended!;

    /// <summary>What anybody who watched the job heard of its epochs, by their numbers.</summary>
    public SortedDictionary<int, JsonElement> Epochs { get; } = [];

    /// <summary>Of each blow, how long it took until a step was heard of that was not before.</summary>
    public List<(Blow Blow, TimeSpan Took)> Recoveries { get; } = [];

    /// <summary>How often the work since the newest checkpoint had to be done again: a process was lost that had a part in it.</summary>
    public int Losses { get; private set; }

    /// <summary>Hands the job in, and strikes.</summary>
    public static async Task<ChaosRun> OfAsync(ComposedProcesses cluster, string job, string id, IReadOnlyList<PlannedBlow> plan)
    {
        var run = new ChaosRun(
            cluster, id, cluster.StartExec("coordinator", "submit", job, "--id", id, "--watch", "--json", "--json-every", "20"));
        var handsIn = Task.CompletedTask;
        foreach (var (i, blow) in plan.Index())
        {
            await run.UntilAsync(happened => happened.Word() == "progress" && happened.GetProperty("step").GetInt64() >= blow.Step);
            var struck = Stopwatch.StartNew();
            var highest = run._highest;
            if (i == 1)
            {
                handsIn = run.HandInSecondAsync();
            }

            await run.StrikeAsync(blow);
            await handsIn;
            await run.UntilAsync(_ => run._highest > highest);
            run.Recoveries.Add((blow.Blow, struck.Elapsed));
            await run.UntilAllAreUpAsync();
            await run.UntilAllHaveTheirShareAsync();
        }

        run._ended = await cluster.ExecAsync("coordinator", "watch", id, "--json");
        foreach (var happened in run.Ended.Events)
        {
            run.Note(happened);
        }

        return run;
    }

    public void Dispose() => _client.Dispose();

    private async Task StrikeAsync(PlannedBlow planned)
    {
        var worker = _workers[planned.Worker];
        var hasPart = _placed.Contains(_cluster.AddressOf(worker));
        switch (planned.Blow)
        {
            case Blow.WorkerKilled:
                Losses += hasPart ? 1 : 0;
                await _cluster.RestartAsync(worker);
                await UntilNextAsync(hasPart);
                break;
            case Blow.WorkerFrozen:
                Losses += hasPart ? 1 : 0;
                _cluster.Signal(worker, "STOP");
                await UntilNextAsync(hasPart);
                _cluster.Signal(worker, "CONT");
                break;
            case Blow.CoordinatorKilled:
                Losses++;
                _client.Dispose();
                await _cluster.RestartAsync("coordinator");
                Watch();
                await UntilNextAsync(true);
                break;
            case Blow.ClientKilled:
                _client.Dispose();
                Watch();
                break;
            case Blow.DatabaseKilled:
                // Whether something was to be kept while it was away: then the job goes on from its newest checkpoint, once.
                var (generation, epoch) = (_generation, _epoch);
                _cluster.Database.Restart();
                await UntilAsync(_ => _epoch >= epoch + KeptSince);
                Losses += _generation > generation ? 1 : 0;
                break;
            case Blow.WorkerHeld:
                await HoldAsync(signal => _cluster.Signal(worker, signal));
                break;
            case Blow.CoordinatorHeld:
                await HoldAsync(signal => _cluster.Signal("coordinator", signal));
                break;
            case Blow.DatabaseHeld:
                await HoldAsync(signal => _cluster.Database.Signal(signal));
                break;
            default:
                throw new InvalidOperationException($"{planned.Blow} is no blow.");
        }
    }

    // Asked for again until it is acknowledged: under one id it is one job.
    private async Task HandInSecondAsync()
    {
        var job = _cluster.Job("xor");
        Finished handedIn;
        do
        {
            handedIn = await _cluster.ExecAsync("coordinator", "submit", job, "--id", Second, "--json");
            handedIn.ExitCode.ShouldBeOneOf(ExitCode.Done, ExitCode.NoCluster);
        }
        while (handedIn.ExitCode != ExitCode.Done);
    }

    // How long a process stands still is what this is about.
    private static async Task HoldAsync(Action<string> signal)
    {
        signal("STOP");
        await Task.Delay(_moment);
        signal("CONT");
    }

    private void Watch() => _client = _cluster.StartExec("coordinator", "watch", _id, "--json", "--json-every", "20");

    private async Task UntilAllAreUpAsync()
    {
        var up = 0;
        for (var tries = 0; tries < Tries && up < _workers.Length + 1; tries++)
        {
            var nodes = await _cluster.ExecAsync("coordinator", "nodes", "--json");
            up = nodes.ExitCode != 0 ? 0 : nodes.Events.Count(node => node.GetProperty("state").GetString() == "up");
        }

        up.ShouldBe(_workers.Length + 1);
    }

    // Replicas enough for all: whoever comes back has some again, and nothing is to move when the next blow falls.
    private Task UntilAllHaveTheirShareAsync()
    {
        bool HaveTheirShare() => _workers.All(worker => _placed.Contains(_cluster.AddressOf(worker)));
        return HaveTheirShare() ? Task.CompletedTask : UntilAsync(_ => HaveTheirShare());
    }

    private Task UntilNextAsync(bool isDue)
    {
        var before = _generation;
        return isDue ? UntilAsync(_ => _generation > before) : Task.CompletedTask;
    }

    private async Task UntilAsync(Func<JsonElement, bool> fits)
    {
        var ends = _cluster.UnaskedEnds;
        while (!await IsToldOfAsync(fits))
        {
            // A node that cannot tell whether it is still one of the cluster ends, and is started anew: its clients with it.
            var client = await _client.EndAsync();
            _cluster.UnaskedEnds.ShouldBeGreaterThan(ends, $"the client ended with {client.ExitCode}: {client.Errors}\n{_cluster.Ends}");
            ends = _cluster.UnaskedEnds;
            await _cluster.UntilHealthyAsync("coordinator");
            _client.Dispose();
            Watch();
        }
    }

    private Task<bool> IsToldOfAsync(Func<JsonElement, bool> fits) => _client.HasLineAsync(line =>
    {
        var happened = JsonDocument.Parse(line).RootElement;
        happened.Word().ShouldNotBeOneOf("completed", "failed", "paused", "cancelled");
        Note(happened);
        return fits(happened);
    });

    private void Note(JsonElement happened)
    {
        if (happened.Word() == "epoch")
        {
            Epochs[happened.GetProperty("epoch").GetInt32()] = happened;
            _epoch = Math.Max(_epoch, happened.GetProperty("epoch").GetInt32());
        }
        else if (happened.Word() == "progress")
        {
            _highest = Math.Max(_highest, happened.GetProperty("step").GetInt64());
        }
        else if (happened.Word() == "generation" && happened.GetProperty("generation").GetInt64() > _generation)
        {
            _generation = happened.GetProperty("generation").GetInt64();
            _placed = [.. happened.GetProperty("placement").EnumerateArray().Select(place => place.GetProperty("node").GetString()!)];
        }
    }
}
