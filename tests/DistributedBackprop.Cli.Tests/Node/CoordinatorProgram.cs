using System.Net;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Tests.Node;

/// <summary>A coordinator that is no worker, as a process of its own: it runs one job on the nodes that come to it.</summary>
internal static class CoordinatorProgram
{
    /// <summary>The environment's name of what all nodes know.</summary>
    public const string Secret = "BACKPROP__SECRET";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    /// <summary>
    /// Tells <c>at HOST:PORT</c>; once the workers are there trains the job and tells a line for each link,
    /// <c>sent FROM TO BYTES</c>, then <c>weights HASH</c>, or <c>ended HOW</c>; and
    /// ends when all workers have left.
    /// </summary>
    /// <param name="jobPath">The job file.</param>
    /// <param name="host">The IP address on which it listens, and under which others reach it.</param>
    /// <param name="workers">How many nodes it waits for.</param>
    public static async Task RunAsync(string jobPath, string host, int workers)
    {
        using var overdue = new CancellationTokenSource(_patience);
        var options = new NodeOptions("coordinator", new NodeSecret(Environment.GetEnvironmentVariable(Secret)!))
        {
            Roles = [NodeOptions.Coordinator],
            Host = IPAddress.Parse(host),
            PublicHost = host,
        };
        await using var node = await ClusterNode.StartAsync(options, cancellation: overdue.Token);
        await Console.Out.WriteLineAsync($"at {node.Address.Host}:{node.Address.Port}");
        await node.NodesAsync(nodes => nodes.Count(there => there.Presence == NodePresence.Up) == workers, overdue.Token);

        var job = JobFile.Read(jobPath).Job!;
        var graph = Graph.Of(job.Model, job.Seed);
        var run = new JobRun("over-the-network", job, graph, DataLoader.Load(job, graph.Output, "."), null);
        using var result = await node.RunAsync(run, _ => { }, overdue.Token);
        foreach (var link in result.Generations.SelectMany(generation => generation.Nodes).SelectMany(
            sender => sender.Links, (sender, link) => (From: sender.Node, Link: link)))
        {
            var bytes = link.Link.Activations + link.Link.Deltas + link.Link.Averaging + link.Link.State;
            await Console.Out.WriteLineAsync($"sent {link.From} {link.Link.To} {bytes}");
        }

        await Console.Out.WriteLineAsync(
            result.Outcome is TrainingCompleted completed ? $"weights {completed.WeightsSha256}" : $"ended {result.Outcome}");
        await node.NodesAsync(nodes => nodes.IsEmpty, overdue.Token);
    }
}
