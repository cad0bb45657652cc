using System.Runtime.Serialization;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using CsCheck;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Wire;

namespace DistributedBackprop.Actors.Tests.Wire;

/// <summary>Every message that crosses nodes, through the serialization that Akka uses.</summary>
public sealed class RoundTripTests() : TestKit(WireSerializer.Hocon)
{
    public static TheoryData<Type> Kinds =>
        [.. typeof(IWireMessage).Assembly.GetTypes().Where(type => type.IsClass && type.IsAssignableTo(typeof(IWireMessage)))];

    private RandomMessages Random =>
        new(TestActor, ActorOf(SilentActor.Props), ActorOf(SilentActor.Props, "other+:@&=,!~"));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_message_comes_back_as_it_was(Type kind)
    {
        WireSerializer.Messages.ShouldContain(kind);
        Random.Of[kind].Sample(message => Sent(message).ShouldBeSameAs(message), iter: 300);
    }

    [Theory]
    [InlineData(0x8000000000000000)]
    [InlineData(0x7FF8000000000001)]
    [InlineData(0xFFF0DEADBEEF0001)]
    [InlineData(0x7FF0000000000000)]
    public void A_loss_keeps_its_bits(ulong bits)
    {
        var sent = (StepsJudged)Sent(new StepsJudged(1, 0, [new JudgedStep(1, BitConverter.UInt64BitsToDouble(bits), 0)]));
        BitConverter.DoubleToUInt64Bits(sent.Steps[0].LossSum).ShouldBe(bits);
    }

    [Fact]
    public void That_a_layer_failed_is_heard_however_long_and_broken_the_words_are()
    {
        var sent = (LayerFailed)Sent(new LayerFailed(3, new string('n', 200_000), 7, "\uD83D" + new string('ß', 200_000), IsFinal: true));
        (sent.Generation, sent.Step).ShouldBe((3, 7));
        sent.Layer.ShouldStartWith("nnn");
        sent.Layer.ShouldEndWith("…");
        sent.Reason.ShouldEndWith("ß…");

        // Half a character is replaced.
        ((LayerFailed)Sent(new LayerFailed(3, "dense1", 7, "a\uD83D", IsFinal: false))).Reason.ShouldBe("a\uFFFD");
    }

    [Fact]
    public void Only_what_is_made_to_cross_nodes_is_sent()
    {
        foreach (var message in new object[] { "text", 7, new Uri("http://localhost"), new TrainingProbe(1) })
        {
            Should.Throw<SerializationException>(() => Sent(message), message.GetType().Name);
        }
    }

    private object Sent(object message)
    {
        var serializer = Sys.Serialization.FindSerializerFor(message);
        serializer.ShouldBeOfType<WireSerializer>();
        return Sys.Serialization.Deserialize(
            serializer.ToBinary(message),
            serializer.Identifier,
            Akka.Serialization.Serialization.ManifestFor(serializer, message));
    }

    private sealed record TrainingProbe(int Number);

    private sealed class SilentActor : ReceiveActor
    {
        public static Props Props => Akka.Actor.Props.Create(() => new SilentActor());
    }
}
