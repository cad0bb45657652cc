using System.Runtime.Serialization;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using CsCheck;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Wire;
using Google.Protobuf;
using Form = DistributedBackprop.Actors.Wire.Messages;

namespace DistributedBackprop.Actors.Tests.Wire;

/// <summary>Whatever comes under the name of a message is that message, whole and in range, or refused.</summary>
public sealed class HostileMessagesTests : TestKit
{
    private readonly WireSerializer _serializer;
    private readonly RandomMessages _random;

    public HostileMessagesTests()
        : base(WireSerializer.Hocon)
    {
        _serializer = new WireSerializer((ExtendedActorSystem)Sys);
        _random = new RandomMessages(TestActor);
    }

    public static TheoryData<Type> Kinds => RoundTripTests.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Random_bytes(Type kind) => Gen.Select(_random.Of[kind], Gen.Byte.Array[0, 60]).Sample(
        (message, bytes) => Take(_serializer.Manifest(message), bytes), iter: 500);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Truncated_bytes(Type kind) => Gen.Select(_random.Of[kind], Gen.Int).Sample(
        (message, place) =>
        {
            var bytes = _serializer.ToBinary(message);
            Take(_serializer.Manifest(message), bytes[..(int)((uint)place % (bytes.Length + 1))]);
        },
        iter: 300);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Bytes_of_which_one_is_another(Type kind) => Gen.Select(_random.Of[kind], Gen.Int, Gen.Byte).Sample(
        (message, place, value) =>
        {
            var bytes = _serializer.ToBinary(message);
            if (bytes.Length > 0)
            {
                bytes[(int)((uint)place % bytes.Length)] = value;
            }

            Take(_serializer.Manifest(message), bytes);
        },
        iter: 500);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_message_without_its_parts(Type kind)
    {
        var manifest = _serializer.Manifest(_random.Of[kind].Single());
        if (kind != typeof(DescribeNode) && kind != typeof(DescribeService) && kind != typeof(ClusterDescribed) && kind != typeof(NodeRefused))
        {
            Should.Throw<SerializationException>(() => _serializer.FromBinary([], manifest))
                .Message.ShouldStartWith($"a message {manifest}: ");
        }
    }

    public static TheoryData<string, IMessage, string> OutOfRange => new()
    {
        { "grant", new Form.Grant { UpToStep = 1 }, "generation must be 1 … 9223372036854775807 (was 0)" },
        { "grant", new Form.Grant { Generation = 1, UpToStep = -1 }, "up_to_step must be 0 … 9223372036854775807 (was -1)" },
        { "steps-judged", new Form.StepsJudged { Generation = 1, Replica = 65_536 }, "replica must be 0 … 65535 (was 65536)" },
        { "steps-judged", new Form.StepsJudged { Generation = 1, Steps = { new Form.JudgedStep { Correct = -1 } } }, "correct must be 0 … 9223372036854775807 (was -1)" },
        { "round-closed", new Form.RoundClosed { Generation = 1, Layer = -1 }, "layer must be 0 … 1048575 (was -1)" },
        { "layer-failed", new Form.LayerFailed { Generation = 1 }, "layer must be 1 … 4096 bytes (was 0)" },
        {
            "layer-failed",
            new Form.LayerFailed { Generation = 1, Layer = "l", Reason = new string('r', 4097) },
            "reason must be 0 … 4096 bytes (was 4097)"
        },
        { "judged", new Form.Judged { Generation = 1 }, "key is missing" },
        {
            "trace-non-finite",
            new Form.TraceNonFinite { Generation = 1, Key = new Form.MicroBatchKey(), Edge = -1 },
            "edge must be 0 … 1048575 (was -1)"
        },
        { "release-generation", new Form.ReleaseGeneration { Generation = 1 }, "job_id must be 1 … 1024 bytes (was 0)" },
        {
            "generation-released",
            Released(new Form.StageStatistics { Layers = { 1, 1 }, Peaks = { 2, 3 } }),
            "layers must have each once (has 1 twice)"
        },
        { "generation-released", Released(new Form.StageStatistics { Layers = { 1 } }), "peaks must be 1 … 1 (was 0)" },
        {
            "begin-generation",
            new Form.BeginGeneration { Generation = 1, Members = { new Form.Member { Name = "n" } } },
            "actor must be 1 … 2048 bytes (was 0)"
        },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void A_field_out_of_its_range_is_named(string manifest, IMessage wire, string words) =>
        Should.Throw<SerializationException>(() => _serializer.FromBinary(wire.ToByteArray(), manifest))
            .Message.ShouldBe($"a message {manifest}: {words}");

    [Theory]
    [InlineData("no path")]
    [InlineData("akka://test")]
    [InlineData("akka://test/user/a#1@2")]
    [InlineData("akka://test/user/a#99999999999999999999")]
    [InlineData("akka.tcp://test@host:99999999999/user/a")]
    [InlineData("akka.tcp://test@:1/user/a#x")]
    [InlineData("http://test/user/\0")]
    public void A_path_that_is_none_is_refused(string path)
    {
        var actor = new Form.ActorReference { Path = path };
        Take("begin-generation", Begin(actor).ToByteArray());
    }

    [Fact]
    public void Random_paths() => Gen.OneOf(
        Gen.String,
        Gen.OneOf("", "test", "test@host", "test@host:1", "other@[::1]:x").SelectMany(address =>
            Gen.String[Gen.Char["/#$@:+%. au0"], 0, 30].Select(rest => $"akka.tcp://{address}/user{rest}")),
        Gen.String[Gen.Char["/#$@:+%. au9-"], 0, 30].Select(rest => $"akka://test/user/a#{rest}")).Sample(
        path => Take("begin-generation", Begin(new Form.ActorReference { Path = path }).ToByteArray()), iter: 5000);

    private static Form.BeginGeneration Begin(Form.ActorReference actor) => new()
    {
        Generation = 1,
        Members = { new Form.Member { Name = "n", Actor = actor } },
    };

    private static Form.GenerationReleased Released(Form.StageStatistics stage) => new()
    {
        Generation = 1,
        Node = "n",
        Statistics = new Form.NodeStatistics { Node = "n", Stages = { stage } },
    };

    // What is taken must be as sound as what is sent: it can be sent on.
    private void Take(string manifest, byte[] bytes)
    {
        object message;
        try
        {
            message = _serializer.FromBinary(bytes, manifest);
        }
        catch (SerializationException e)
        {
            e.Message.ShouldContain($"a message {manifest}", customMessage: e.ToString());
            return;
        }

        _serializer.Manifest(message).ShouldBe(manifest);
        _serializer.FromBinary(_serializer.ToBinary(message), manifest).ShouldBeOfType(message.GetType());
    }
}
