using System.Diagnostics;
using System.Text.Json;
using DistributedBackprop.Cli.Tests.Running;
using Xunit.Abstractions;

namespace DistributedBackprop.Cli.Tests.Deployment;

/// <summary>
/// A coordinator that names no seeds is killed and started again: it knows of no cluster, and begins another one. The workers,
/// whom something starts anew when they end, come to it.
/// </summary>
public sealed class SecondClusterTests(ITestOutputHelper output)
{
    // Addresses of this test alone: the nodes come back at the same ones.
    private const string Coordinator = "127.41.0.1";
    private const string Port = "4100";

    [SkippableFact]
    public async Task Workers_go_to_the_cluster_that_a_restarted_coordinator_begins()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "each node has a loopback address of its own, as Linux has them");
        using var folder = new CommandFolder();
        var environment = new Dictionary<string, string>
        {
            ["BACKPROP__SECRET"] = "known to these nodes alone",
            ["BACKPROP__TOKENFILE"] = folder.At("token"),
            ["BACKPROP__ADDRESS"] = $"http://{Coordinator}:4700",
        };
        BackpropProcess Node(string name, string host, params string[] flags) => BackpropProcess.Start(
            folder.Path, environment, ["node", "--name", name, "--host", host, "--port", Port, "--threads", "1", .. flags]);
        BackpropProcess First() => Node("a", Coordinator, "--roles", "coordinator", "--state", folder.At("state"));

        var coordinator = First();
        await coordinator.ReadUntilAsync(line => line.EndsWith(" is up", StringComparison.Ordinal));
        using var b = new RestartedProcess(() => Node("b", "127.41.0.2", "--seeds", $"{Coordinator}:{Port}"));
        using var c = new RestartedProcess(() => Node("c", "127.41.0.3", "--seeds", $"{Coordinator}:{Port}"));
        var job = folder.Job("xor", ("epochs: 30", "epochs: 1000000\n\nparallelism: { replicas: 2 }\n"));
        (await BackpropProcess.RunAsync(folder.Path, environment, "submit", job, "--id", "long")).ExitCode.ShouldBe(ExitCode.Done);
        await UntilItRunsOnAsync(folder, environment, "b", "c");

        coordinator.Signal("KILL");
        await coordinator.EndAsync();
        coordinator.Dispose();
        coordinator = First();
        var restarted = Stopwatch.StartNew();
        await UntilItRunsOnAsync(folder, environment, "b", "c");
        output.WriteLine(FormattableString.Invariant($"{restarted.Elapsed.TotalSeconds:F1} s from the restart until the job ran on both workers"));
        b.Ends.ShouldContain($"the cluster goes on at {Coordinator}:{Port} without this node");
        c.Ends.ShouldContain($"the cluster goes on at {Coordinator}:{Port} without this node");
        coordinator.Dispose();
    }

    // A watch hears first where the job stood: steps that come after a generation on these nodes are new ones.
    private static async Task UntilItRunsOnAsync(CommandFolder folder, Dictionary<string, string> environment, params string[] nodes)
    {
        using var watch = BackpropProcess.Start(folder.Path, environment, "watch", "long", "--json", "--json-every", "1");
        var isPlaced = false;
        await watch.ReadUntilAsync(line =>
        {
            var happened = JsonDocument.Parse(line).RootElement;
            if (happened.Word() == "generation")
            {
                var placed = happened.GetProperty("placement").EnumerateArray().Select(place => place.GetProperty("node").GetString());
                isPlaced = placed.Distinct().Order().SequenceEqual(nodes);
            }

            return isPlaced && happened.Word() == "progress";
        });
        watch.Signal("INT");
        await watch.EndAsync();
    }
}
