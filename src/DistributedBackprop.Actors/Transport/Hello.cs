using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// The first bytes of a connection: who calls, in which version. Each end then proves to the other that it knows the
/// run's secret, which never crosses the wire:
/// <code>
/// caller → hello (nonce)          120 bytes: 0 magic DBPH, 4 version, 6 length of the name, 7 flags (bit 0 probe,
///                                            bit 1 ring), 8 nonce, 40 name (UTF-8), then of the ring that is
///                                            offered: 104 process, 108 descriptor, 112 capacity, 116 zero
/// caller ← challenged (nonce)      40 bytes: an answer, 8 nonce
/// caller → proof                   32 bytes: see <see cref="HelloProof"/>
/// caller ← accepted (proof)        40 bytes: an answer, 8 proof
/// </code>
/// An answer begins with 8 bytes: 0 magic DBPA, 4 version, 6 status, 7 zero; a refusal, at any time, is no longer.
/// All is little-endian. Whoever can change what is on the way can let the two prove themselves and then speak for them:
/// against that there is TLS.
/// </summary>
/// <param name="Node">Who calls, 1 to <see cref="MaxNameBytes"/> bytes of UTF-8.</param>
/// <param name="IsProbe">Whether it only wants to know that somebody answers, and will send nothing.</param>
/// <param name="Ring">Memory for frames, for a receiver on the same machine; null: none is offered.</param>
public sealed record Hello(string Node, bool IsProbe, RingOffer? Ring = null)
{
    /// <summary>Bytes of a hello.</summary>
    public const int Bytes = 120;

    /// <summary>Bytes of an answer, without the nonce or proof that may follow.</summary>
    public const int AnswerBytes = 8;

    /// <summary>Bytes of a nonce.</summary>
    public const int NonceBytes = 32;

    /// <summary>The version of hello, grants and frames together.</summary>
    public const ushort Version = 3;

    /// <summary>The longest name of a node, in bytes of UTF-8.</summary>
    public const int MaxNameBytes = 64;

    private const uint Magic = 'D' | ('B' << 8) | ('P' << 16) | ('H' << 24);
    private const uint AnswerMagic = 'D' | ('B' << 8) | ('P' << 16) | ('A' << 24);
    private const byte Probe = 1;
    private const byte WithRing = 2;
    private const int NonceAt = 8;
    private const int NameAt = 40;
    private const int RingAt = 104;
    private static readonly UTF8Encoding _strictUtf8 = new(false, true);

    /// <summary>The bytes of this hello.</summary>
    /// <param name="nonce"><see cref="NonceBytes"/> bytes that nobody can foretell.</param>
    /// <exception cref="ArgumentException">
    /// The name is empty or longer than <see cref="MaxNameBytes"/>, or the nonce has another length.
    /// </exception>
    public byte[] Write(ReadOnlySpan<byte> nonce)
    {
        var name = _strictUtf8.GetBytes(Node);
        if (name.Length is 0 or > MaxNameBytes)
        {
            throw new ArgumentException($"A node's name has 1 to {MaxNameBytes} bytes (had {name.Length}).");
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, NonceBytes, nameof(nonce));
        var bytes = new byte[Bytes];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), Version);
        bytes[6] = (byte)name.Length;
        bytes[7] = (byte)((IsProbe ? Probe : 0) | (Ring is null ? 0 : WithRing));
        nonce.CopyTo(bytes.AsSpan(NonceAt));
        name.CopyTo(bytes, NameAt);
        if (Ring is { } ring)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(RingAt), ring.ProcessId);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(RingAt + 4), ring.Descriptor);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(RingAt + 8), ring.Capacity);
        }

        return bytes;
    }

    /// <summary>Judges a hello for itself.</summary>
    /// <param name="source"><see cref="Bytes"/> bytes from anybody.</param>
    /// <param name="hello">Who says to call, where it is challenged.</param>
    /// <returns>That it is challenged, or why it is refused.</returns>
    public static HelloStatus Judge(ReadOnlySpan<byte> source, out Hello? hello)
    {
        hello = null;
        if (source.Length != Bytes || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic)
        {
            return HelloStatus.Malformed;
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(source[4..]) != Version)
        {
            return HelloStatus.WrongVersion;
        }

        if (source[7] > (Probe | WithRing) || !TryReadName(source, out var node) || !TryReadRing(source, out var ring))
        {
            return HelloStatus.Malformed;
        }

        hello = new Hello(node, (source[7] & Probe) != 0, ring);
        return HelloStatus.Challenged;
    }

    /// <summary>The nonce in the bytes of a hello.</summary>
    public static ReadOnlySpan<byte> NonceOf(ReadOnlySpan<byte> hello) => hello.Slice(NonceAt, NonceBytes);

    /// <summary>Writes an answer of <see cref="AnswerBytes"/> bytes.</summary>
    public static void WriteAnswer(Span<byte> target, HelloStatus status)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, AnswerMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(target[4..], Version);
        target[6] = (byte)status;
        target[7] = 0;
    }

    /// <summary>Reads an answer; null where it is none.</summary>
    public static HelloStatus? ReadAnswer(ReadOnlySpan<byte> source) =>
        source.Length == AnswerBytes
        && BinaryPrimitives.ReadUInt32LittleEndian(source) == AnswerMagic
        && source[6] <= (byte)HelloStatus.AcceptedWithRing
            ? (HelloStatus)source[6]
            : null;

    private static bool TryReadRing(ReadOnlySpan<byte> source, out RingOffer? ring)
    {
        ring = null;
        if ((source[7] & WithRing) == 0)
        {
            return true;
        }

        ring = new RingOffer(
            BinaryPrimitives.ReadInt32LittleEndian(source[RingAt..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[(RingAt + 4)..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[(RingAt + 8)..]));
        return ring is { ProcessId: > 0, Descriptor: >= 0 } offer && SharedRing.IsCapacity(offer.Capacity);
    }

    private static bool TryReadName(ReadOnlySpan<byte> source, [NotNullWhen(true)] out string? node)
    {
        node = null;
        var length = source[6];
        if (length is 0 or > MaxNameBytes)
        {
            return false;
        }

        try
        {
            node = _strictUtf8.GetString(source.Slice(NameAt, length));
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
