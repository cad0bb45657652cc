using System.Collections.Immutable;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Actors.Wire;

/// <summary>The messages between the node directory and the agents of the nodes.</summary>
internal static class DirectoryFormats
{
    private const int MaxThreads = 4096;

    public static ImmutableArray<WireFormat> All { get; } =
    [
        WireFormat.Of<DescribeNode, Messages.DescribeNode>("describe-node", (_, _) => new(), (_, _) => new()),
        WireFormat.Of<NodeDescribed, Messages.NodeDescribed>(
            "node-described",
            (message, _) => Write(message.Description),
            (wire, _) => new(Read(wire))),
        WireFormat.Of<NodeRefused, Messages.NodeRefused>(
            "node-refused",
            (message, _) => new() { Reason = WireFields.Cut(message.Reason) },
            (wire, _) => new(WireFields.Reason(wire.Reason, "reason"))),
        WireFormat.Of<NodeLeaving, Messages.NodeLeaving>(
            "node-leaving",
            (message, _) => new() { Node = message.Node },
            (wire, _) => new(WireFields.Name(wire.Node, "node"))),
        WireFormat.Of<LeavingNoted, Messages.LeavingNoted>(
            "leaving-noted",
            (message, _) => new() { Node = message.Node },
            (wire, _) => new(WireFields.Name(wire.Node, "node"))),
    ];

    private static Messages.NodeDescribed Write(NodeDescription node) => new()
    {
        Name = node.Name,
        Threads = node.Threads,
        TensorHost = node.Tensors?.Host ?? "",
        TensorPort = node.Tensors?.Port ?? 0,
        ProcessId = node.ProcessId,
        Version = node.Version,
        Settings = node.Settings,
    };

    private static NodeDescription Read(Messages.NodeDescribed wire) => new(
        WireFields.Name(wire.Name, "name"),
        WireFields.Number(wire.Threads, "threads", 1, MaxThreads),
        MemberForms.EndPoint(wire.TensorHost, wire.TensorPort),
        WireFields.Number(wire.ProcessId, "process_id", 0, int.MaxValue),
        WireFields.Text(wire.Version, "version", WireFields.MaxName),
        WireFields.Text(wire.Settings, "settings", WireFields.MaxName));
}
