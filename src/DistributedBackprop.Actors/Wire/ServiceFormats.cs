using System.Collections.Immutable;
using System.Runtime.Serialization;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Actors.Wire;

/// <summary>The messages by which nodes find each other's service, and whether they are of one cluster.</summary>
internal static class ServiceFormats
{
    private const int MaxThreads = 4096;
    private const int MaxAddress = 512;

    public static ImmutableArray<WireFormat> All { get; } =
    [
        WireFormat.Of<DescribeService, Messages.DescribeService>("describe-service", (_, _) => new(), (_, _) => new()),
        WireFormat.Of<ServiceDescribed, Messages.ServiceDescribed>(
            "service-described",
            (message, _) => new()
            {
                Node = message.Node,
                Host = message.EndPoint.Host,
                Port = message.EndPoint.Port,
                Tls = message.IsTls,
                Threads = message.Threads,
                ProcessId = message.ProcessId,
            },
            (wire, _) => new(
                WireFields.Name(wire.Node, "node"),
                MemberForms.EndPoint(wire.Host, wire.Port) ?? throw new SerializationException("host must not be empty"),
                wire.Tls,
                WireFields.Number(wire.Threads, "threads", 0, MaxThreads),
                WireFields.Number(wire.ProcessId, "process_id", 0, int.MaxValue))),
        WireFormat.Of<DescribeCluster, Messages.DescribeCluster>(
            "describe-cluster",
            (message, _) => new() { Address = message.Address, Uid = message.Uid },
            (wire, _) => new(WireFields.Text(wire.Address, "address", MaxAddress), wire.Uid)),
        WireFormat.Of<ClusterDescribed, Messages.ClusterDescribed>(
            "cluster-described",
            (message, _) => new() { Uid = message.Uid, GoesOnWithoutAsker = message.GoesOnWithoutAsker },
            (wire, _) => new(wire.Uid, wire.GoesOnWithoutAsker)),
    ];
}
