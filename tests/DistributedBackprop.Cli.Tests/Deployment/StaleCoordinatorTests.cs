using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using DistributedBackprop.Cli.Tests.Running;
using Xunit.Abstractions;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary>A coordinator that others have taken over from ends its process, and says so; the job does not notice.</summary>
public sealed class StaleCoordinatorTests(ITestOutputHelper output) : IDisposable
{
    private const string Database = "backprop";
    private const string Password = "of this test alone";

    private readonly CommandFolder _folder = new();

    // Addresses that no other run has.
    private readonly string _net = string.Create(
        CultureInfo.InvariantCulture, $"127.{RandomNumberGenerator.GetInt32(1, 255)}.{RandomNumberGenerator.GetInt32(0, 256)}");

    private readonly List<BackpropProcess> _nodes = [];
    private DebianPostgreSql? _database;

    public void Dispose()
    {
        _nodes.ForEach(node => node.Dispose());
        _database?.Dispose();
        _folder.Dispose();
    }

    [SkippableFact]
    public async Task A_coordinator_that_was_frozen_is_followed_by_its_standby_and_ends_when_it_wakes()
    {
        var undisturbed = await UndisturbedAsync();
        var seeds = $"{_net}.1:4100,{_net}.2:4100";
        var first = await StartAsync("first", 1, "--roles", "coordinator", "--seeds", seeds);
        await StartAsync("standby", 2, "--roles", "coordinator", "--seeds", seeds);
        await StartAsync("b", 3, "--seeds", seeds);
        await StartAsync("c", 4, "--seeds", seeds);
        await RunAsync(2, "submit", Job(), "--id", "long");
        using (var before = Start(2, "watch", "long", "--json"))
        {
            await before.ReadUntilAsync(line => line.Contains("\"checkpoint\"", StringComparison.Ordinal));
        }

        var reached = (await RunAsync(2, "jobs", "--json")).Last.GetProperty("step").GetInt64();
        first.Signal("STOP");
        var frozen = Stopwatch.StartNew();
        using var watch = Start(2, "watch", "long", "--json", "--json-every", "1");
        await watch.ReadUntilAsync(line =>
        {
            var happened = JsonDocument.Parse(line).RootElement;
            return happened.Word() == "progress" && happened.GetProperty("step").GetInt64() > reached;
        });
        output.WriteLine(FormattableString.Invariant($"the coordinator frozen: {frozen.Elapsed.TotalSeconds:F1} s to a step that was not there before"));
        first.Signal("CONT");
        var ended = await first.EndAsync();
        ended.ExitCode.ShouldBe(ExitCode.JobFailed, ended.Errors);
        (ended.Errors.Contains("the cluster has put this node down", StringComparison.Ordinal)
            || ended.Errors.Contains("another process coordinates now", StringComparison.Ordinal)
            || ended.Errors.Contains("was taken over by another process", StringComparison.Ordinal)).ShouldBeTrue(ended.Errors);
        var completed = await watch.EndAsync();
        completed.Sha256.ShouldBe(undisturbed, completed.Errors);
    }

    [SkippableFact]
    public async Task A_coordinator_whose_database_another_cluster_has_taken_ends_and_says_so()
    {
        var undisturbed = await UndisturbedAsync();
        var first = await StartAsync("first", 1, "--roles", "coordinator,worker");
        await RunAsync(1, "submit", Job(), "--id", "long");
        using (var before = Start(1, "watch", "long", "--json"))
        {
            await before.ReadUntilAsync(line => line.Contains("\"checkpoint\"", StringComparison.Ordinal));
        }

        await StartAsync("second", 2, "--roles", "coordinator,worker");
        var ended = await first.EndAsync();
        ended.ExitCode.ShouldBe(ExitCode.JobFailed, ended.Errors);
        (ended.Errors.Contains("another process coordinates now: node 'second'", StringComparison.Ordinal)
            || ended.Errors.Contains("job long was taken over by another process", StringComparison.Ordinal)).ShouldBeTrue(ended.Errors);
        var completed = await RunAsync(2, "watch", "long", "--json");
        completed.Sha256.ShouldBe(undisturbed, completed.Errors);
    }

    private async Task<string> UndisturbedAsync()
    {
        Skip.If(DebianPostgreSql.Programs is null, "PostgreSQL is not installed (Debian: apt-get install postgresql)");
        Skip.IfNot(OperatingSystem.IsLinux(), "each node has a loopback address of its own, as Linux has them");
        _database = DebianPostgreSql.Start($"{_net}.9", new Dictionary<string, string>
        {
            ["POSTGRES_USER"] = Database,
            ["POSTGRES_PASSWORD"] = Password,
            ["POSTGRES_DB"] = Database,
        });
        return (await _folder.RunAsync("train", Job(), "--json")).Sha256;
    }

    // Long enough for what is done to it, on any machine: while nobody coordinates it stands still.
    private string Job() => _folder.Job("xor", ("epochs: 30", "epochs: 4000\n\nparallelism: { replicas: 2 }\n"));

    private async Task<BackpropProcess> StartAsync(string name, int host, params string[] flags)
    {
        var node = Start(host, ["node", "--name", name, "--host", $"{_net}.{host}", "--port", "4100", "--threads", "1", .. flags]);
        _nodes.Add(node);
        await node.ReadUntilAsync(line => line.EndsWith(" is up", StringComparison.Ordinal));
        return node;
    }

    private BackpropProcess Start(int host, params IEnumerable<string> arguments) => BackpropProcess.Start(_folder.Path, Environment(host), arguments);

    private async Task<Finished> RunAsync(int host, params IEnumerable<string> arguments)
    {
        var run = await BackpropProcess.RunAsync(_folder.Path, Environment(host), arguments);
        run.ExitCode.ShouldBe(ExitCode.Done, run.Errors);
        return run;
    }

    // Only a node that may coordinate may have a database; commands read none.
    private Dictionary<string, string> Environment(int host)
    {
        var environment = new Dictionary<string, string>
        {
            ["BACKPROP__SECRET"] = "known to these nodes alone",
            ["BACKPROP__TOKENFILE"] = _folder.At("token"),
            ["BACKPROP__SERVICEPORT"] = "4700",
            ["BACKPROP__ADDRESS"] = $"http://{_net}.{host}:4700",
        };
        if (host <= 2)
        {
            environment["BACKPROP__DATABASE"] = $"Host={_net}.9;Database={Database};Username={Database};Password={Password}";
        }

        return environment;
    }
}
