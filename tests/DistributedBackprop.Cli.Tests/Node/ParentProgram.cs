using System.Globalization;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Cli.Tests.Node;

/// <summary>What tests start as a process of its own: this assembly, started as a program.</summary>
internal static class ParentProgram
{
    /// <summary>
    /// With a number: starts so many child nodes, tells their process ids, and waits to be killed. With
    /// <c>coordinate</c>: see <see cref="CoordinatorProgram"/>.
    /// </summary>
    public static async Task Main(string[] arguments)
    {
        if (arguments is ["coordinate", var job, var host, var workers])
        {
            await CoordinatorProgram.RunAsync(job, host, int.Parse(workers, CultureInfo.InvariantCulture));
            return;
        }

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
