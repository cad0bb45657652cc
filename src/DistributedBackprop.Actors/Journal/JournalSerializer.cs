using System.Collections.Frozen;
using System.Runtime.Serialization;
using System.Security.Cryptography;
using System.Text;
using Akka.Actor;
using Akka.Serialization;
using Google.Protobuf;

namespace DistributedBackprop.Actors.Journal;

/// <summary>
/// Writes and reads every <see cref="IJournalEvent"/>: Protocol Buffers (<c>protos/journal.proto</c>) behind a checksum, one
/// entry for each kind in a table of <see cref="JournalFormat"/>s. It makes no types that a row names, reads nothing that is
/// damaged, and passes over fields that a later version has added.
/// </summary>
public sealed class JournalSerializer : SerializerWithStringManifest
{
    /// <summary>Names this serializer in a journal.</summary>
    public const int JournalIdentifier = 4712;

    /// <summary>Bytes of the checksum before an event.</summary>
    public const int ChecksumBytes = 16;

    /// <summary>Bytes of an event at most, unless its format says otherwise: the manifest of 256 GB of state.</summary>
    public const int MaxBytes = 16 << 20;

    private static readonly FrozenDictionary<Type, JournalFormat> _byType;
    private static readonly FrozenDictionary<string, JournalFormat> _byManifest;

    static JournalSerializer()
    {
        JournalFormat[] all = [.. JobRecordFormats.All, .. CoordinatorRecordFormats.All, .. SummaryFormats.All];
        _byType = all.ToFrozenDictionary(format => format.Type);
        _byManifest = all.ToFrozenDictionary(format => format.Manifest, StringComparer.Ordinal);
    }

    /// <summary>Made by Akka.</summary>
    /// <param name="system">Whose events they are.</param>
    public JournalSerializer(ExtendedActorSystem system)
        : base(system)
    {
    }

    /// <summary>Binds the events to this serializer.</summary>
    public static string Hocon => $$"""
        akka.actor {
          serializers.backprop-journal = "{{NameOf<JournalSerializer>()}}"
          serialization-bindings."{{NameOf<IJournalEvent>()}}" = backprop-journal
          serialization-identifiers."{{NameOf<JournalSerializer>()}}" = {{JournalIdentifier}}
        }

        """;

    /// <summary>The events that can be written.</summary>
    public static IEnumerable<Type> Events => _byType.Keys;

    /// <inheritdoc/>
    public override int Identifier => JournalIdentifier;

    /// <inheritdoc/>
    /// <exception cref="SerializationException">The event is in no table.</exception>
    public override string Manifest(object o) => FormatOf(o).Manifest;

    /// <inheritdoc/>
    /// <exception cref="SerializationException">The event is in no table, or larger than <see cref="MaxBytes"/>.</exception>
    public override byte[] ToBinary(object obj)
    {
        var format = FormatOf(obj);
        var form = format.Write(obj);
        var size = form.CalculateSize();
        if (size > format.MaxBytes)
        {
            throw new SerializationException($"an event {format.Manifest} must have at most {format.MaxBytes} bytes (was {size})");
        }

        var bytes = new byte[ChecksumBytes + size];
        form.WriteTo(bytes.AsSpan(ChecksumBytes));
        WriteChecksum(format.Manifest, bytes.AsSpan(ChecksumBytes), bytes);
        return bytes;
    }

    /// <inheritdoc/>
    /// <exception cref="SerializationException">
    /// The manifest is unknown, the bytes are damaged or no such event, or a field is not as it must be.
    /// </exception>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentNullException.ThrowIfNull(manifest);
        if (!_byManifest.TryGetValue(manifest, out var format))
        {
            throw new LaterEventException(
                $"unknown manifest '{manifest}' in a journal: a later version has written it "
                + $"(allowed: {string.Join(", ", _byManifest.Keys.Order(StringComparer.Ordinal))})");
        }

        Span<byte> checksum = stackalloc byte[ChecksumBytes];
        if (bytes.Length < ChecksumBytes || bytes.Length - ChecksumBytes > format.MaxBytes)
        {
            throw new SerializationException(
                $"an event {manifest} must have {ChecksumBytes} … {ChecksumBytes + format.MaxBytes} bytes (was {bytes.Length})");
        }

        var body = bytes.AsSpan(ChecksumBytes);
        WriteChecksum(manifest, body, checksum);
        if (!checksum.SequenceEqual(bytes.AsSpan(0, ChecksumBytes)))
        {
            throw new SerializationException($"an event {manifest} is damaged: its checksum is another");
        }

        try
        {
            return format.Read(body);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new SerializationException($"the bytes of an event {manifest} are none: {e.Message}", e);
        }
        catch (SerializationException e)
        {
            throw new SerializationException($"an event {manifest}: {e.Message}", e);
        }
    }

    private static void WriteChecksum(string manifest, ReadOnlySpan<byte> body, Span<byte> target)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(manifest));
        hash.AppendData([0]);
        hash.AppendData(body);
        Span<byte> whole = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetCurrentHash(whole);
        whole[..ChecksumBytes].CopyTo(target);
    }

    private static string NameOf<T>() => $"{typeof(T).FullName}, {typeof(T).Assembly.GetName().Name}";

    private static JournalFormat FormatOf(object journalEvent)
    {
        ArgumentNullException.ThrowIfNull(journalEvent);
        return _byType.TryGetValue(journalEvent.GetType(), out var format)
            ? format
            : throw new SerializationException($"{journalEvent.GetType().FullName} is not made to be kept in a journal");
    }
}
