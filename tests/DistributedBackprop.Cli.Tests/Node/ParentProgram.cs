using System.Globalization;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Cli.Tests.Node;

/// <summary>A process with child nodes, which a test can kill: this assembly, started as a program.</summary>
internal static class ParentProgram
{
    /// <summary>Starts as many nodes as the argument says, tells their process ids, and waits.</summary>
    public static async Task Main(string[] arguments)
    {
        await using var cluster = await ClusterTraining.StartAsync(
            Nodes.Options(int.Parse(arguments[0], CultureInfo.InvariantCulture)), Console.Error.WriteLine);
        await Console.Out.WriteLineAsync(string.Join(' ', cluster.Nodes.Select(node => node.Description.ProcessId)));
        await Console.In.ReadLineAsync();
    }
}

/// <summary>Nodes of the built program.</summary>
internal static class Nodes
{
    public static ClusterTrainingOptions Options(int nodes) => new(nodes, ThreadsPerNode: 1, DataRoot: ".")
    {
        Program = new ChildProgram("dotnet", [Path.Combine(AppContext.BaseDirectory, "backprop.dll")]),
    };
}
