using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>What people read of a run on several processes.</summary>
public sealed class PlainOutputOfNodesTests
{
    [Fact]
    public async Task Layers_are_shown_with_their_nodes_and_the_end_says_what_nodes_did()
    {
        using var folder = new CommandFolder();
        var job = ClusterJobs.ResidualFile(folder, "1f1b", ClusterJobs.Parameters, epochs: 2);
        var run = await folder.RunAsync("train", job, "--nodes", "2", "--threads", "1");
        run.ExitCode.ShouldBe(0, run.Errors);
        var told = $"{run.Errors}\n{run.Output}";
        foreach (var stage in Enumerable.Range(1, 3))
        {
            Regex.IsMatch(told, $@"^ *\S+ .*node-[12].*, stage {stage} of 3 *$", RegexOptions.Multiline).ShouldBeTrue(told);
        }

        told.ShouldContain("node-1");
        told.ShouldContain("node-2");
        told.ShouldContain("kernel s");
        Regex.IsMatch(
            told,
            @"^bubble: \d+\.\d % of a step measured \(\d+\.\d % of the last\), 33\.3 % by the schedule, \(p−1\)/\(m\+p−1\)\r?$",
            RegexOptions.Multiline).ShouldBeTrue(told);
        Regex.IsMatch(
            told, @"^averaging: 4 rounds, [\d,]+ bytes between nodes and [\d.]+ ms in each\r?$", RegexOptions.Multiline).ShouldBeTrue(told);
    }
}
