using DistributedBackprop.Cli.Tests.Node;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Tests.SameBits;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>A coordinator and nodes on machines of their own train as one process does: nothing relies on loopback.</summary>
public sealed class NetworkNamespaceTests
{
    private static readonly Dictionary<string, string> _secret =
        new() { [CoordinatorProgram.Secret] = "what all machines of the test know" };

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Nodes_with_addresses_of_their_own_train_the_same_bits(int workers)
    {
        using var network = NetworkNamespaces.TryCreate(workers + 1, out var whyNot);
        Skip.If(network is null, $"Network namespaces cannot be made here: {whyNot}");
        using var folder = new CommandFolder();
        var job = ShortJob.Of(folder, "residual");

        using var coordinator = BackpropProcess.StartOther(
            folder.Path,
            _secret,
            network.On(
                0,
                "dotnet",
                typeof(ParentProgram).Assembly.Location,
                "coordinate",
                job,
                $"{NetworkNamespaces.AddressOf(0)}",
                $"{workers}"));
        var seed = (await coordinator.ReadUntilAsync(line => line.StartsWith("at ", StringComparison.Ordinal)))[3..];
        seed.ShouldStartWith($"{NetworkNamespaces.AddressOf(0)}:");
        var nodes = Enumerable.Range(1, workers).Select(machine => StartNode(network, folder, machine, seed)).ToList();
        try
        {
            var last = await coordinator.ReadUntilAsync(line => line.Split(' ')[0] is "weights" or "ended");
            var expected = await folder.RunAsync("train", job, "--json");
            last.ShouldBe($"weights {expected.Sha256}");
            foreach (var node in nodes)
            {
                node.Signal("TERM");
                var left = await node.EndAsync();
                left.ExitCode.ShouldBe(ExitCode.Done, left.Errors);
            }

            // Each of them had work, and talked to another machine.
            var run = await coordinator.EndAsync();
            run.ExitCode.ShouldBe(0, run.Errors);
            var senders = run.Output.Split('\n').Select(line => line.Split(' ')).Where(words => words is ["sent", _, _, not "0"]);
            senders.Select(words => words[1]).Distinct().Count().ShouldBe(workers, run.Output);
        }
        finally
        {
            nodes.ForEach(node => node.Dispose());
        }
    }

    private static BackpropProcess StartNode(NetworkNamespaces network, CommandFolder folder, int machine, string seed) =>
        BackpropProcess.StartOther(
            folder.Path,
            _secret,
            network.On(
                machine,
                "dotnet",
                Path.Combine(AppContext.BaseDirectory, "backprop.dll"),
                "node",
                "--name",
                $"node-{machine}",
                "--host",
                $"{NetworkNamespaces.AddressOf(machine)}",
                "--seeds",
                seed,
                "--threads",
                "1",
                "--insecure"));
}
