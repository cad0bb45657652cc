using System.Net;
using System.Net.Sockets;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using CsCheck;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Wire;

namespace DistributedBackprop.Actors.Tests.Wire;

/// <summary>Messages between nodes come back as they were, and nothing else comes in.</summary>
public sealed class WireSerializerTests() : TestKit(WireSerializer.Hocon)
{
    private static readonly Gen<string> _name = Gen.String[Gen.Char['a', 'z'], 1, 64];

    private static readonly Gen<NodeDescription> _description = Gen.Select(
        _name,
        Gen.Int[1, 1024],
        Gen.OneOf(
            Gen.Const((DnsEndPoint?)null),
            Gen.Int[1, 65535].Select(port => (DnsEndPoint?)new DnsEndPoint("10.0.0.7", port, AddressFamily.InterNetwork)),
            Gen.Int[1, 65535].Select(port => (DnsEndPoint?)new DnsEndPoint("node.example", port))),
        Gen.Int[0, int.MaxValue],
        _name,
        _name,
        (name, threads, tensors, process, version, settings) =>
            new NodeDescription(name, threads, tensors, process, version, settings));

    // One for each message: a test fails for a message that is in no table, or not here.
    private static readonly Dictionary<Type, Gen<IWireMessage>> _messages = new()
    {
        [typeof(DescribeNode)] = Gen.Const((IWireMessage)new DescribeNode()),
        [typeof(NodeDescribed)] = _description.Select(node => (IWireMessage)new NodeDescribed(node)),
        [typeof(NodeRefused)] = Gen.String.Select(reason => (IWireMessage)new NodeRefused(WireFields.Cut(Valid(reason)))),
        [typeof(NodeLeaving)] = _name.Select(name => (IWireMessage)new NodeLeaving(name)),
        [typeof(LeavingNoted)] = _name.Select(name => (IWireMessage)new LeavingNoted(name)),
    };

    private WireSerializer Serializer => new((ExtendedActorSystem)Sys);

    [Fact]
    public void Every_message_that_crosses_nodes_is_in_a_table()
    {
        var messages = typeof(IWireMessage).Assembly.GetTypes()
            .Where(type => type.IsAssignableTo(typeof(IWireMessage)) && type.IsClass);
        WireSerializer.Messages.ShouldBe(messages, ignoreOrder: true);
    }

    [Fact]
    public void The_messages_of_the_directory_come_back_as_they_were()
    {
        foreach (var messages in _messages.Values)
        {
            messages.Sample(
                message =>
                {
                    Sys.Serialization.FindSerializerFor(message).ShouldBeOfType<WireSerializer>();
                    Serializer.FromBinary(Serializer.ToBinary(message), Serializer.Manifest(message)).ShouldBe(message);
                },
                iter: 200);
        }
    }

    [Fact]
    public void Whatever_bytes_come_are_a_message_or_refused() => Gen.Select(
        Gen.Int[0, 4].Select(index => new[] { "describe-node", "node-described", "node-refused", "node-leaving", "leaving-noted" }[index]),
        Gen.OneOf(Gen.Byte.Array[0, 40], Mangled)).Sample(
        (manifest, bytes) =>
        {
            try
            {
                Serializer.FromBinary(bytes, manifest).ShouldBeAssignableTo<IWireMessage>();
            }
            catch (SerializationException e)
            {
                e.Message.ShouldContain(manifest);
            }
        },
        iter: 5000);

    [Theory]
    [InlineData("", 1, 1, "name must be 1 … 64 bytes (was 0)")]
    [InlineData("n", 0, 1, "threads must be 1 … 4096 (was 0)")]
    [InlineData("n", 1, 65536, "tensor_port must be 1 … 65535 (was 65536)")]
    [InlineData("n", 1, -1, "tensor_port must be 1 … 65535 (was -1)")]
    public void A_field_out_of_its_range_is_named(string name, int threads, int port, string words)
    {
        var wire = new Actors.Wire.Messages.NodeDescribed
        {
            Name = name,
            Threads = threads,
            TensorHost = "h",
            TensorPort = port,
            Version = "v",
            Settings = "s",
        };
        Should.Throw<SerializationException>(
            () => Serializer.FromBinary(Google.Protobuf.MessageExtensions.ToByteArray(wire), "node-described"))
            .Message.ShouldBe($"a message node-described: {words}");
    }

    [Fact]
    public void An_unknown_manifest_is_refused() => Should.Throw<SerializationException>(
        () => Serializer.FromBinary([], "System.Diagnostics.Process"))
        .Message.ShouldStartWith("unknown manifest 'System.Diagnostics.Process' (allowed: ");

    [Fact]
    public void What_is_too_large_is_refused_with_its_name_and_size_on_both_sides()
    {
        var large = new NodeLeaving(new string('n', WireSerializer.MaxBytes));
        Should.Throw<SerializationException>(() => Serializer.ToBinary(large))
            .Message.ShouldBe("a message node-leaving must have at most 100000 bytes (was 100004)");
        Should.Throw<SerializationException>(() => Serializer.FromBinary(new byte[WireSerializer.MaxBytes + 1], "node-leaving"))
            .Message.ShouldBe("a message node-leaving must have at most 100000 bytes (was 100001)");
    }

    [Fact]
    public void A_long_reason_is_cut_rather_than_lost()
    {
        var refused = new NodeRefused(new string('ß', 200_000));
        var read = (NodeRefused)Serializer.FromBinary(Serializer.ToBinary(refused), "node-refused");
        read.Reason.ShouldStartWith("ßßß");
        read.Reason.ShouldEndWith("…");
    }

    [Fact]
    public void Nothing_else_is_sent_and_no_type_that_a_sender_names_is_made()
    {
        Should.Throw<SerializationException>(() => Sys.Serialization.FindSerializerFor(new WatchNodes()));
        foreach (var identifier in new[] { 1, 2, 3 })
        {
            Should.Throw<SerializationException>(() => Sys.Serialization.Deserialize(
                "{}"u8.ToArray(), identifier, typeof(Uri).AssemblyQualifiedName!));
        }
    }

    private Gen<byte[]> Mangled => Gen.Select(_description, Gen.Int, Gen.Byte, (node, place, value) =>
    {
        var bytes = Serializer.ToBinary(new NodeDescribed(node));
        bytes[(int)((uint)place % bytes.Length)] = value;
        return bytes;
    });

    // Half a character is not text.
    private static string Valid(string text) => new([.. text.Where(c => !char.IsSurrogate(c))]);
}
