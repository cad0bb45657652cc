using System.Net;
using System.Net.Sockets;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Server.Health;
using DistributedBackprop.Server.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary>What nodes answer to those who supervise them.</summary>
public sealed class HealthTests : IDisposable
{
    private const int Tries = 60;

    private readonly CommandFolder _folder = new();
    private readonly int _port = FreePort();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_node_that_is_up_is_ready_and_answers_nothing_else_there()
    {
        using var node = Start("--roles", "coordinator,worker", "--service-port", "0");
        await node.ReadUntilAsync(line => line.EndsWith(" is up", StringComparison.Ordinal));
        (await AskAsync("live")).ExitCode.ShouldBe(ExitCode.Done);
        var ready = await UntilAsync(asked => asked.ExitCode == ExitCode.Done);
        ready.Output.ShouldContain("""{"status":"healthy","checks":{"member":"healthy","coordinator":"healthy","database":"healthy"}}""");
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_port}") };
        foreach (var path in new[] { "", "health", "backprop.Training/List", "grpc.health.v1.Health/Check" })
        {
            (await client.GetAsync(new Uri(path, UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
        }
    }

    [Fact]
    public async Task A_node_without_its_cluster_lives_and_is_not_ready()
    {
        using var node = Start("--seeds", $"127.0.0.1:{FreePort()}");
        var asked = await UntilAsync(asked => asked.Output.Length > 0);
        asked.ExitCode.ShouldBe(ExitCode.NoCluster);
        asked.Output.ShouldContain("the node is no member that is up");
        asked.Output.ShouldContain("no coordinator answers");
        (await AskAsync("live")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task Where_nobody_answers_it_says_so()
    {
        var asked = await AskAsync("live");
        asked.ExitCode.ShouldBe(ExitCode.NoCluster);
        asked.Errors.ShouldContain("does not answer");
        (await _folder.RunAsync("health", "--url", "nonsense")).ExitCode.ShouldBe(ExitCode.Invalid);
    }

    [Fact]
    public async Task A_database_that_is_away_is_told_without_its_password()
    {
        var away = new PostgreSqlDatabase($"Host=127.0.0.1;Port={FreePort()};Database=jobs;Username=me;Password=hidden");
        var told = await CheckAsync(away);
        told.Status.ShouldBe(HealthStatus.Unhealthy);
        told.Description!.ShouldContain("database jobs at 127.0.0.1");
        told.Description!.ShouldNotContain("hidden");
        (await CheckAsync(SqliteDatabase.Open(_folder.Path))).Status.ShouldBe(HealthStatus.Healthy);
    }

    private static Task<HealthCheckResult> CheckAsync(JobDatabase database) => new DatabaseHealth(
        new ServiceCollection().AddSingleton(database).BuildServiceProvider()).CheckHealthAsync(new HealthCheckContext());

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private BackpropProcess Start(params string[] flags) => BackpropProcess.Start(
        _folder.Path,
        new Dictionary<string, string> { ["BACKPROP__SECRET"] = "the secret of these tests" },
        ["node", "--name", "one", "--threads", "1", "--health-port", $"{_port}", .. flags]);

    private Task<Finished> AskAsync(string what) => _folder.RunAsync("health", "--url", $"http://127.0.0.1:{_port}/health/{what}");

    private async Task<Finished> UntilAsync(Func<Finished, bool> fits)
    {
        for (var tries = 0; tries < Tries; tries++)
        {
            if (await AskAsync("ready") is var asked && fits(asked))
            {
                return asked;
            }
        }

        throw new InvalidOperationException("The node did not answer so.");
    }
}
