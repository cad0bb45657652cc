using System.Globalization;
using System.Text.Json;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>Workers of <c>train --nodes</c> that die or freeze half way: the weights are those of an undisturbed run.</summary>
public sealed class RecoveryTests : IDisposable
{
    private const int StepsPerEpoch = 16;

    private readonly CommandFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(3, "KILL", ClusterJobs.Gradients)]
    [InlineData(3, "KILL", ClusterJobs.Parameters)]
    [InlineData(3, "STOP", ClusterJobs.Gradients)]
    [InlineData(1, "KILL", ClusterJobs.Gradients)]
    public async Task A_worker_that_is_lost_does_not_show_in_the_bits(int nodes, string signal, string averaging)
    {
        const int Epochs = 60;
        var job = ClusterJobs.ResidualFile(_folder, "1f1b", averaging, Epochs);
        var plain = await _folder.RunAsync("train", job, "--json", "--threads", "1");
        using var process = BackpropProcess.Start(
            _folder.Path, null, ["train", job, "--nodes", $"{nodes}", "--threads", "1", "--json", "--json-every", "1"]);
        await process.ReadUntilAsync(line => IsStep(line, Epochs * StepsPerEpoch / 3));
        var children = OtherProcess.ChildrenOf(process.Id);
        children.Length.ShouldBe(nodes);
        OtherProcess.Signal(signal, children[^1]);
        var run = await process.EndAsync();

        run.Sha256.ShouldBe(plain.Sha256, run.Errors);
        run.Last.GetProperty("recoveries").GetInt32().ShouldBe(1, run.Output);
        children.ShouldAllBe(child => !OtherProcess.IsAlive(child));
        StepsOf(run.Events, "progress").ShouldBe(Enumerable.Range(1, Epochs * StepsPerEpoch).Select(step => (long)step));
        StepsOf(run.Events, "epoch").ShouldBe(Enumerable.Range(1, Epochs).Select(epoch => (long)epoch * StepsPerEpoch));
        StepsOf(run.Events, "checkpoint").ShouldBeUnique();
        StepsOf(run.Events, "generation").Skip(1).First().ShouldBeGreaterThan(0);
    }

    private static List<long> StepsOf(IEnumerable<JsonElement> events, string word) =>
        [.. events.Where(happened => happened.Word() == word).Select(happened => happened.GetProperty("step").GetInt64())];

    private static bool IsStep(string line, long step) =>
        line.Contains(string.Create(CultureInfo.InvariantCulture, $"\"step\":{step},"), StringComparison.Ordinal);
}
