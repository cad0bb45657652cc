using System.Collections.Immutable;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>Runs of <c>train --nodes</c> that end before their time: no process is left, and the reason is told.</summary>
public sealed class EndOfNodesTests : IDisposable
{
    private readonly CommandFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Ctrl_C_pauses_the_job_and_stops_all_its_processes()
    {
        using var process = Start(2);
        var children = await ChildrenInTrainingAsync(process, 2);

        // A terminal signals all processes of the group.
        foreach (var each in children.Append(process.Id))
        {
            OtherProcess.Signal("INT", each);
        }

        var run = await process.EndAsync();
        children.ShouldAllBe(child => !OtherProcess.IsAlive(child));
        run.ShouldEndWith(130);
        run.Last.Word().ShouldBe("paused");
    }

    [Fact]
    public async Task Ctrl_C_while_the_nodes_come_up_stops_them_too()
    {
        using var process = Start(2, "--verbose");
        await process.UntilErrorsSayAsync("kernels on");
        var children = ImmutableArray<int>.Empty;
        using var overdue = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (children.Length < 2)
        {
            overdue.Token.ThrowIfCancellationRequested();
            children = OtherProcess.ChildrenOf(process.Id);
        }

        process.Signal("INT");
        var run = await process.EndAsync();
        children.ShouldAllBe(child => !OtherProcess.IsAlive(child));
        run.ShouldEndWith(130);
        run.Last.Word().ShouldBe("cancelled");
    }

    [Fact]
    public async Task Kill_9_in_the_middle_of_a_job_leaves_no_process()
    {
        using var process = Start(3);
        var children = await ChildrenInTrainingAsync(process, 3);
        process.Signal("KILL");
        (await process.EndAsync()).ExitCode.ShouldBe(128 + 9);
        using var overdue = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (children.Any(OtherProcess.IsAlive))
        {
            await Task.Delay(10, overdue.Token);
        }
    }

    private BackpropProcess Start(int nodes, params IEnumerable<string> options)
    {
        var job = ClusterJobs.ResidualFile(_folder, "1f1b", ClusterJobs.Gradients, epochs: 1_000_000);
        return BackpropProcess.Start(_folder.Path, null, ["train", job, "--nodes", $"{nodes}", "--threads", "1", "--json", .. options]);
    }

    private static async Task<ImmutableArray<int>> ChildrenInTrainingAsync(BackpropProcess process, int nodes)
    {
        await process.ReadUntilAsync(line => line.Contains("progress", StringComparison.Ordinal));
        var children = OtherProcess.ChildrenOf(process.Id);
        children.Length.ShouldBe(nodes);
        return children;
    }
}
