using System.Buffers.Binary;
using System.Security.Cryptography;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>The SHA-256 of some bytes: their name in a store, and the proof that they are the right ones.</summary>
/// <param name="A">Bytes 0 to 7, little-endian.</param>
/// <param name="B">Bytes 8 to 15.</param>
/// <param name="C">Bytes 16 to 23.</param>
/// <param name="D">Bytes 24 to 31.</param>
public readonly record struct ContentHash(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    /// <summary>The hash of some bytes.</summary>
    public static ContentHash Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(content, hash);
        return FromBytes(hash);
    }

    /// <summary>Reads a hash.</summary>
    /// <param name="hash">Its <see cref="Size"/> bytes.</param>
    /// <exception cref="ArgumentException">There are more or fewer.</exception>
    public static ContentHash FromBytes(ReadOnlySpan<byte> hash) => hash.Length == Size
        ? new(
            BinaryPrimitives.ReadUInt64LittleEndian(hash),
            BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(hash[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(hash[24..]))
        : throw new ArgumentException($"A hash has {Size} bytes (had {hash.Length}).", nameof(hash));

    /// <summary>Its <see cref="Size"/> bytes.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>Writes its bytes down.</summary>
    public void CopyTo(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, A);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], B);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], C);
        BinaryPrimitives.WriteUInt64LittleEndian(target[24..], D);
    }

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(ToBytes());
}
