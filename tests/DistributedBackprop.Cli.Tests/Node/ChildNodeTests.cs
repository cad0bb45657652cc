using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Cli.Tests.Node;

/// <summary>Nodes as child processes: they come up, are known to be dead when they are, and end with their parent.</summary>
public sealed class ChildNodeTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Children_come_up_as_processes_of_their_own_and_end_with_the_run()
    {
        var told = new ConcurrentQueue<string>();
        int[] ids;
        await using (var cluster = await ClusterTraining.StartAsync(Nodes.Options(3), told.Enqueue))
        {
            cluster.Nodes.Select(node => node.Name).ShouldBe(["node-1", "node-2", "node-3"]);
            cluster.Nodes.ShouldAllBe(node => node.Presence == NodePresence.Up);
            ids = [.. cluster.Nodes.Select(node => node.Description.ProcessId)];
            ids.Append(Environment.ProcessId).ShouldBeUnique();
            ids.ShouldAllBe(id => OtherProcess.IsAlive(id));
        }

        ids.ShouldAllBe(id => !OtherProcess.IsAlive(id));
        told.ShouldNotContain(line => line.Contains("heartbeat was delayed", StringComparison.OrdinalIgnoreCase));
        told.ShouldNotContain(line => line.Contains("ended with", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_child_that_is_killed_is_told_of_and_gone_from_the_directory()
    {
        using var overdue = new CancellationTokenSource(_patience);
        var told = new ConcurrentQueue<string>();
        await using var cluster = await ClusterTraining.StartAsync(Nodes.Options(2), told.Enqueue, overdue.Token);
        OtherProcess.Signal("KILL", cluster.Nodes[0].Description.ProcessId);
        await cluster.NodesAsync(nodes => nodes.Length == 1 && nodes[0].Name == "node-2", overdue.Token);
        (await cluster.FirstExit.WaitAsync(overdue.Token)).ShouldBe(
            new ChildExit("node-1", cluster.Nodes[0].Description.ProcessId, 128 + 9));
        told.ShouldContain("node-1 ended with exit code 137");
        told.ShouldNotContain(line => line.Contains("heartbeat was delayed", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_child_leaves_politely_at_SIGTERM_and_minds_no_SIGINT()
    {
        using var overdue = new CancellationTokenSource(_patience);
        var told = new ConcurrentQueue<string>();
        await using var cluster = await ClusterTraining.StartAsync(Nodes.Options(2), told.Enqueue, overdue.Token);
        OtherProcess.Signal("INT", cluster.Nodes[0].Description.ProcessId);
        OtherProcess.Signal("INT", cluster.Nodes[1].Description.ProcessId);
        OtherProcess.Signal("TERM", cluster.Nodes[1].Description.ProcessId);
        (await cluster.FirstExit.WaitAsync(overdue.Token)).ShouldBe(
            new ChildExit("node-2", cluster.Nodes[1].Description.ProcessId, 0));
        var left = await cluster.NodesAsync(nodes => nodes.Length == 1, overdue.Token);
        left[0].Name.ShouldBe("node-1");
        left[0].Presence.ShouldBe(NodePresence.Up);
    }

    [Fact]
    public async Task Children_are_gone_when_their_parent_is_killed()
    {
        using var overdue = new CancellationTokenSource(_patience);
        var program = typeof(ParentProgram).Assembly.Location;
        using var parent = Process.Start(new ProcessStartInfo("dotnet", [program, "3"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            var line = await parent.StandardOutput.ReadLineAsync(overdue.Token);
            var ids = line!.Split(' ').Select(id => int.Parse(id, CultureInfo.InvariantCulture)).ToArray();
            ids.Length.ShouldBe(3);
            ids.ShouldAllBe(id => OtherProcess.IsAlive(id));
            parent.Kill();
            while (ids.Any(OtherProcess.IsAlive))
            {
                await Task.Delay(10, overdue.Token);
            }
        }
        finally
        {
            parent.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public async Task A_cluster_whose_children_do_not_start_is_not_waited_for()
    {
        var options = Nodes.Options(2) with { Program = new ChildProgram("dotnet", ["nowhere.dll"]) };
        var failure = await Should.ThrowAsync<ClusterTrainingException>(
            () => ClusterTraining.StartAsync(options, _ => { }).WaitAsync(_patience));
        failure.Message.ShouldContain("before the cluster stood");
    }
}
