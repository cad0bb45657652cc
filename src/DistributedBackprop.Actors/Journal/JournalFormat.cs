using System.Runtime.Serialization;
using Google.Protobuf;

namespace DistributedBackprop.Actors.Journal;

/// <summary>How one kind of event is written.</summary>
/// <param name="manifest">Names the kind and its version in the journal.</param>
/// <param name="type">The event.</param>
/// <param name="maxBytes">Its bytes at most.</param>
internal abstract class JournalFormat(string manifest, Type type, int maxBytes)
{
    /// <summary>Names the kind and its version in the journal.</summary>
    public string Manifest { get; } = manifest;

    /// <summary>The type of the event.</summary>
    public Type Type { get; } = type;

    /// <summary>Its bytes at most.</summary>
    public int MaxBytes { get; } = maxBytes;

    /// <summary>An entry of a table.</summary>
    /// <typeparam name="TEvent">The event.</typeparam>
    /// <typeparam name="TForm">Its form.</typeparam>
    /// <param name="manifest">Names the kind and its version.</param>
    /// <param name="write">Puts the event in its form.</param>
    /// <param name="read">Takes it back, checking every field: throws a <see cref="SerializationException"/>.</param>
    /// <param name="maxBytes">Its bytes at most.</param>
    public static JournalFormat Of<TEvent, TForm>(
        string manifest, Func<TEvent, TForm> write, Func<TForm, TEvent> read, int maxBytes = JournalSerializer.MaxBytes)
        where TEvent : class, IJournalEvent
        where TForm : class, IMessage<TForm>, new() => new Typed<TEvent, TForm>(manifest, write, read, maxBytes);

    /// <summary>Puts an event in its form.</summary>
    public abstract IMessage Write(object journalEvent);

    /// <summary>Takes an event from its bytes.</summary>
    /// <exception cref="SerializationException">A field is not as it must be.</exception>
    /// <exception cref="InvalidProtocolBufferException">These bytes are none.</exception>
    public abstract object Read(ReadOnlySpan<byte> bytes);

    private sealed class Typed<TEvent, TForm>(string manifest, Func<TEvent, TForm> write, Func<TForm, TEvent> read, int maxBytes)
        : JournalFormat(manifest, typeof(TEvent), maxBytes)
        where TEvent : class, IJournalEvent
        where TForm : class, IMessage<TForm>, new()
    {
        private static readonly MessageParser<TForm> _parser = new(() => new TForm());

        public override IMessage Write(object journalEvent) => write((TEvent)journalEvent);

        public override object Read(ReadOnlySpan<byte> bytes) => read(_parser.ParseFrom(bytes));
    }
}
