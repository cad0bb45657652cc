using System.Runtime.Serialization;
using Google.Protobuf;

namespace DistributedBackprop.Actors.Wire;

/// <summary>How one kind of message goes over the wire.</summary>
/// <param name="manifest">Names the kind on the wire.</param>
/// <param name="type">The message.</param>
internal abstract class WireFormat(string manifest, Type type)
{
    /// <summary>Names the kind on the wire.</summary>
    public string Manifest { get; } = manifest;

    /// <summary>The type of the message.</summary>
    public Type Type { get; } = type;

    /// <summary>An entry of a table.</summary>
    /// <typeparam name="TMessage">The message.</typeparam>
    /// <typeparam name="TProto">Its form on the wire.</typeparam>
    /// <param name="manifest">Names the kind on the wire.</param>
    /// <param name="write">Puts the message in its form.</param>
    /// <param name="read">Takes it back, checking every field: throws a <see cref="SerializationException"/>.</param>
    public static WireFormat Of<TMessage, TProto>(
        string manifest, Func<TMessage, WireReferences, TProto> write, Func<TProto, WireReferences, TMessage> read)
        where TMessage : class, IWireMessage
        where TProto : class, IMessage<TProto>, new() => new Typed<TMessage, TProto>(manifest, write, read);

    /// <summary>Puts a message in its form.</summary>
    public abstract IMessage Write(object message, WireReferences references);

    /// <summary>Takes a message from its bytes.</summary>
    /// <exception cref="SerializationException">A field is not as it must be.</exception>
    /// <exception cref="InvalidProtocolBufferException">These bytes are none.</exception>
    public abstract object Read(ReadOnlySpan<byte> bytes, WireReferences references);

    private sealed class Typed<TMessage, TProto>(
        string manifest, Func<TMessage, WireReferences, TProto> write, Func<TProto, WireReferences, TMessage> read)
        : WireFormat(manifest, typeof(TMessage))
        where TMessage : class, IWireMessage
        where TProto : class, IMessage<TProto>, new()
    {
        private static readonly MessageParser<TProto> _parser = new(() => new TProto());

        public override IMessage Write(object message, WireReferences references) => write((TMessage)message, references);

        public override object Read(ReadOnlySpan<byte> bytes, WireReferences references) =>
            read(_parser.ParseFrom(bytes), references);
    }
}
