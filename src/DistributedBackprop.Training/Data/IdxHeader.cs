using System.Buffers.Binary;
using System.Collections.Immutable;

namespace DistributedBackprop.Training.Data;

/// <summary>The element types of IDX, by their code.</summary>
internal enum IdxType : byte
{
    UInt8 = 0x08,
    Int8 = 0x09,
    Int16 = 0x0B,
    Int32 = 0x0C,
    Float32 = 0x0D,
    Float64 = 0x0E,
}

/// <summary>
/// The header of an IDX file (http://yann.lecun.com/exdb/mnist): two zero bytes, the element type, the rank, and each
/// axis as a big-endian int32; the elements follow, big-endian, row-major.
/// </summary>
/// <param name="Type">What the elements are.</param>
/// <param name="Axes">The axes' lengths, the count of examples first; each ≥ 1.</param>
/// <param name="Elements">How many elements there are, bounded by what an array can hold.</param>
internal sealed record IdxHeader(IdxType Type, ImmutableArray<int> Axes, int Elements)
{
    private const int RankMax = 8;

    /// <summary>Where the elements begin.</summary>
    public int Bytes => 4 + (4 * Axes.Length);

    /// <summary>How many examples the file says to hold.</summary>
    public int Count => Axes[0];

    /// <summary>Reads and checks a header.</summary>
    /// <exception cref="DataException">It is none, or says what cannot be.</exception>
    public static IdxHeader Read(IdxSource source)
    {
        Span<byte> magic = stackalloc byte[4];
        source.ReadHeader(magic);
        if (magic[0] != 0 || magic[1] != 0)
        {
            throw new DataException(
                source.Name, $"begins with {magic[0]:x2} {magic[1]:x2}: no IDX file", "00 00, or 1f 8b for gzip", 0);
        }

        var type = (IdxType)magic[2];
        if (!Enum.IsDefined(type))
        {
            throw new DataException(source.Name, $"element type 0x{magic[2]:x2} is unknown", "0x08, 0x0c or 0x0d", 2);
        }

        int rank = magic[3];
        if (rank is < 1 or > RankMax)
        {
            throw new DataException(source.Name, $"has rank {rank}", $"1 … {RankMax}", 3);
        }

        Span<byte> axisBytes = stackalloc byte[4 * RankMax];
        source.ReadHeader(axisBytes[..(4 * rank)]);
        var axes = ImmutableArray.CreateBuilder<int>(rank);
        long elements = 1;
        for (var axis = 0; axis < rank; axis++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(axisBytes[(4 * axis)..]);
            if (length < 1)
            {
                throw new DataException(
                    source.Name, $"axis {axis} is {length} long", $"1 … {int.MaxValue}", 4 + (4 * axis));
            }

            elements *= length;
            if (elements > Array.MaxLength)
            {
                throw new DataException(source.Name, "has too many elements", $"{Array.MaxLength}", 4 + (4 * axis));
            }

            axes.Add(length);
        }

        return new IdxHeader(type, axes.MoveToImmutable(), (int)elements);
    }
}
