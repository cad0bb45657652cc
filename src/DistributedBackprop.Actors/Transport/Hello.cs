using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace DistributedBackprop.Actors.Transport;

/// <summary>How a node answers to a hello.</summary>
public enum HelloStatus : byte
{
    /// <summary>Frames may follow, as places are granted.</summary>
    Accepted,

    /// <summary>These are not the bytes of a hello.</summary>
    Malformed,

    /// <summary>The two ends speak different versions.</summary>
    WrongVersion,

    /// <summary>The caller does not know the run's secret.</summary>
    WrongSecret,

    /// <summary>There are as many connections as this node takes.</summary>
    TooMany,
}

/// <summary>
/// The first bytes of a connection: who calls, in which version, and that it knows the run's secret. 104 bytes,
/// little-endian: 0 magic <c>DBPH</c>, 4 version, 6 length of the name, 8 SHA-256 of the secret, 40 name (UTF-8).
/// </summary>
public static class Hello
{
    /// <summary>Bytes of a hello.</summary>
    public const int Bytes = 104;

    /// <summary>Bytes of the answer: magic <c>DBPA</c>, version, status.</summary>
    public const int AnswerBytes = 8;

    /// <summary>The version of hello, grants and frames together.</summary>
    public const ushort Version = 1;

    /// <summary>The longest name of a node, in bytes of UTF-8.</summary>
    public const int MaxNameBytes = 64;

    private const uint Magic = 'D' | ('B' << 8) | ('P' << 16) | ('H' << 24);
    private const uint AnswerMagic = 'D' | ('B' << 8) | ('P' << 16) | ('A' << 24);
    private const int DigestAt = 8;
    private const int NameAt = 40;
    private static readonly UTF8Encoding _strictUtf8 = new(false, true);

    /// <summary>The bytes of a hello.</summary>
    /// <exception cref="ArgumentException">The name is empty or longer than <see cref="MaxNameBytes"/>.</exception>
    public static byte[] Write(string node, ReadOnlySpan<byte> secret)
    {
        var name = _strictUtf8.GetBytes(node);
        if (name.Length is 0 or > MaxNameBytes)
        {
            throw new ArgumentException($"A node's name has 1 to {MaxNameBytes} bytes (had {name.Length}).", nameof(node));
        }

        var bytes = new byte[Bytes];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), Version);
        bytes[6] = (byte)name.Length;
        SHA256.HashData(secret, bytes.AsSpan(DigestAt));
        name.CopyTo(bytes, NameAt);
        return bytes;
    }

    /// <summary>Judges a hello. The secrets are compared in constant time.</summary>
    /// <param name="source"><see cref="Bytes"/> bytes from anybody.</param>
    /// <param name="secret">The run's secret.</param>
    /// <param name="node">Who calls, where it is accepted.</param>
    public static HelloStatus Judge(ReadOnlySpan<byte> source, ReadOnlySpan<byte> secret, out string? node)
    {
        node = null;
        if (source.Length != Bytes || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic)
        {
            return HelloStatus.Malformed;
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(source[4..]) != Version)
        {
            return HelloStatus.WrongVersion;
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(secret, digest);
        if (!CryptographicOperations.FixedTimeEquals(digest, source.Slice(DigestAt, digest.Length)))
        {
            return HelloStatus.WrongSecret;
        }

        return TryReadName(source, out node) ? HelloStatus.Accepted : HelloStatus.Malformed;
    }

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
        && source[6] <= (byte)HelloStatus.TooMany
            ? (HelloStatus)source[6]
            : null;

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
