using System.Collections.Frozen;
using System.Globalization;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Google.Protobuf;

namespace DistributedBackprop.Actors.Wire;

/// <summary>
/// Writes and reads every <see cref="IWireMessage"/>: Protocol Buffers (<c>protos/wire.proto</c>), one entry for each kind
/// in a table of <see cref="WireFormat"/>s. It makes no types that the sender names.
/// </summary>
public sealed class WireSerializer : SerializerWithStringManifest
{
    /// <summary>Names this serializer on the wire.</summary>
    public const int WireIdentifier = 4711;

    /// <summary>
    /// Bytes of a message at most: below the frame of Akka.Remote (128,000), which drops what is larger without a word.
    /// </summary>
    public const int MaxBytes = 100_000;

    private static readonly FrozenDictionary<Type, WireFormat> _byType;
    private static readonly FrozenDictionary<string, WireFormat> _byManifest;

    private readonly WireReferences _references;

    static WireSerializer()
    {
        WireFormat[] all = [.. DirectoryFormats.All, .. ServiceFormats.All, .. NodeFormats.All, .. JobFormats.All, .. PipelineFormats.All];
        _byType = all.ToFrozenDictionary(format => format.Type);
        _byManifest = all.ToFrozenDictionary(format => format.Manifest, StringComparer.Ordinal);
    }

    /// <summary>Made by Akka.</summary>
    /// <param name="system">Whose actors references are.</param>
    public WireSerializer(ExtendedActorSystem system)
        : base(system) => _references = new WireReferences(system);

    /// <summary>
    /// Binds the messages to this serializer, nothing else to any that would guess, and puts
    /// <see cref="RefusingSerializer"/>s where Akka would make types that the sender names.
    /// </summary>
    public static string Hocon => $$"""
        akka.actor {
          serialization-settings.allow-unregistered-types = false
          serializers {
            backprop-wire = "{{NameOf<WireSerializer>()}}"
            json = "{{NameOf<NoJson>()}}"
            proto = "{{NameOf<NoBareProtobuf>()}}"
            daemon-create = "{{NameOf<NoRemoteDeployment>()}}"
          }
          serialization-bindings."{{NameOf<IWireMessage>()}}" = backprop-wire
          serialization-identifiers {
            "{{NameOf<WireSerializer>()}}" = {{WireIdentifier}}
          }
        }

        """;

    /// <summary>The messages that can be written.</summary>
    public static IEnumerable<Type> Messages => _byType.Keys;

    /// <inheritdoc/>
    public override int Identifier => WireIdentifier;

    /// <inheritdoc/>
    /// <exception cref="SerializationException">The message is in no table.</exception>
    public override string Manifest(object o) => FormatOf(o).Manifest;

    /// <inheritdoc/>
    /// <exception cref="SerializationException">
    /// The message is in no table, or larger than <see cref="MaxBytes"/>.
    /// </exception>
    public override byte[] ToBinary(object obj)
    {
        var format = FormatOf(obj);
        var wire = format.Write(obj, _references);
        var size = wire.CalculateSize();
        if (size > MaxBytes)
        {
            throw new SerializationException(string.Create(
                CultureInfo.InvariantCulture,
                $"a message {format.Manifest} must have at most {MaxBytes} bytes (was {size})"));
        }

        WireTraffic.Wrote(size);
        return wire.ToByteArray();
    }

    /// <inheritdoc/>
    /// <exception cref="SerializationException">
    /// The manifest is unknown, the bytes are no such message, or a field is not as it must be.
    /// </exception>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentNullException.ThrowIfNull(manifest);
        if (!_byManifest.TryGetValue(manifest, out var format))
        {
            throw new SerializationException(
                $"unknown manifest '{manifest}' (allowed: {string.Join(", ", _byManifest.Keys.Order(StringComparer.Ordinal))})");
        }

        if (bytes.Length > MaxBytes)
        {
            throw new SerializationException(string.Create(
                CultureInfo.InvariantCulture,
                $"a message {manifest} must have at most {MaxBytes} bytes (was {bytes.Length})"));
        }

        WireTraffic.Read(bytes.Length);
        try
        {
            return format.Read(bytes, _references);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new SerializationException($"the bytes of a message {manifest} are none: {e.Message}", e);
        }
        catch (SerializationException e)
        {
            throw new SerializationException($"a message {manifest}: {e.Message}", e);
        }
    }

    private static string NameOf<T>() => $"{typeof(T).FullName}, {typeof(T).Assembly.GetName().Name}";

    private static WireFormat FormatOf(object message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return _byType.TryGetValue(message.GetType(), out var format)
            ? format
            : throw new SerializationException($"a message {message.GetType().FullName} is not made to cross nodes");
    }
}
