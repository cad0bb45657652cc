using Akka.Actor;
using Akka.Cluster;
using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Protocol;

namespace DistributedBackprop.Server.Grpc;

/// <summary>The members of the cluster as the service writes them.</summary>
/// <param name="gate">Knows them.</param>
internal sealed class ClusterMembers(CoordinatorGate gate)
{
    /// <summary>All members, in the order of their names.</summary>
    /// <param name="workers">What the coordinator knows of those that train.</param>
    /// <param name="cancellation">Gives it up.</param>
    public async Task<NodesResponse> DescribeAsync(WorkerList workers, CancellationToken cancellation)
    {
        var nodes = await Task.WhenAll(gate.Members.Select(found => DescribeAsync(found.Member, found.IsCoordinator, workers, cancellation)));
        var response = new NodesResponse();
        response.Nodes.AddRange(nodes.OrderBy(node => node.Name, StringComparer.Ordinal));
        return response;
    }

    private async Task<Protocol.Node> DescribeAsync(
        Akka.Cluster.Member member, bool isCoordinator, WorkerList workers, CancellationToken cancellation)
    {
        var worker = workers.Workers.FirstOrDefault(known => AddressOf(known, member).Equals(member.Address));
        var isReachable = gate.IsReachable(member);

        // One that does not train is in no directory: it is asked.
        var service = worker is null && isReachable ? await gate.DescribeAsync(member.Address, cancellation) : null;
        var name = worker?.Name ?? service?.Node ?? $"{member.Address.Host}:{member.Address.Port}";
        var node = new Protocol.Node
        {
            Name = name,
            Address = $"{member.Address.Host}:{member.Address.Port}",
            Threads = worker?.Description.Threads ?? service?.Threads ?? 0,
            State = StateOf(member, isReachable, worker),
            Coordinates = isCoordinator,
            ProcessId = worker?.Description.ProcessId ?? service?.ProcessId ?? 0,
        };
        node.Roles.AddRange(member.Roles.Order(StringComparer.Ordinal));
        if (workers.JobsOf.TryGetValue(name, out var jobs))
        {
            node.Jobs.AddRange(jobs);
        }

        return node;
    }

    // The agent of the coordinator's own node has a path without an address.
    private Address AddressOf(NodeInfo worker, Akka.Cluster.Member member) =>
        worker.Agent.Path.Address is { HasGlobalScope: true } address ? address : gate.IsHere(member) ? member.Address : Address.AllSystems;

    private static string StateOf(Akka.Cluster.Member member, bool isReachable, NodeInfo? worker) => (member.Status, isReachable) switch
    {
        (_, false) => "unreachable",
        (MemberStatus.Joining or MemberStatus.WeaklyUp, _) => "joining",
        (MemberStatus.Up, _) => worker?.Presence == NodePresence.Leaving ? "leaving" : "up",
        (MemberStatus.Leaving or MemberStatus.Exiting, _) => "leaving",
        _ => "down",
    };
}
