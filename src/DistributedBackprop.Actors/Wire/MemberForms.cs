using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using DistributedBackprop.Actors.Nodes;
using Google.Protobuf.Collections;

namespace DistributedBackprop.Actors.Wire;

/// <summary>Processes within messages, and where they take tensors.</summary>
internal static class MemberForms
{
    private const int MaxMembers = 4096;
    private const int MaxHost = 255;

    public static Messages.Member Write(Member member) => new()
    {
        Name = WireFields.Name(member.Name, "name"),
        TensorHost = member.Tensors?.Host ?? "",
        TensorPort = member.Tensors?.Port ?? 0,
        Actor = WireReferences.Write(member.Actor),
    };

    public static Member Read(Messages.Member? wire, string field, WireReferences references)
    {
        var present = WireFields.Present(wire, field);
        return new Member(
            WireFields.Name(present.Name, "name"),
            EndPoint(present.TensorHost, present.TensorPort),
            references.Read(present.Actor, "actor"));
    }

    public static ImmutableArray<Member> ReadAll(RepeatedField<Messages.Member> wire, WireReferences references)
    {
        _ = WireFields.Number(wire.Count, "members", 0, MaxMembers);
        return [.. wire.Select(member => Read(member, "members", references))];
    }

    /// <summary>Where a process takes tensors; null for an empty host.</summary>
    public static DnsEndPoint? EndPoint(string host, int port) => host.Length == 0
        ? null
        : new DnsEndPoint(
            WireFields.Text(host, "tensor_host", MaxHost),
            WireFields.Number(port, "tensor_port", 1, IPEndPoint.MaxPort),
            FamilyOf(host));

    // As on the node that wrote it: what was equal stays equal.
    private static AddressFamily FamilyOf(string host) =>
        IPAddress.TryParse(host, out var address) ? address.AddressFamily : AddressFamily.Unspecified;
}
