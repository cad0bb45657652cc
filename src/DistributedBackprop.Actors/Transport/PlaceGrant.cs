using System.Buffers.Binary;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// What the receiving end says after its hello: so many more frames of a flow have a place. 8 bytes, little-endian:
/// 0 magic, 1 flow, 4 count.
/// </summary>
/// <param name="Flow">Whose places.</param>
/// <param name="Count">How many more, ≥ 1.</param>
public readonly record struct PlaceGrant(Flow Flow, int Count)
{
    /// <summary>Bytes of a grant.</summary>
    public const int Bytes = 8;

    private const byte Magic = 0xC5;

    /// <summary>Writes the grant.</summary>
    public void Write(Span<byte> target)
    {
        target[..4].Clear();
        target[0] = Magic;
        target[1] = (byte)Flow;
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], Count);
    }

    /// <summary>Reads and checks a grant.</summary>
    public static bool TryParse(ReadOnlySpan<byte> source, out PlaceGrant grant)
    {
        grant = default;
        if (source.Length < Bytes || source[0] != Magic || source[1] >= Flows.Count || source[2] != 0 || source[3] != 0)
        {
            return false;
        }

        grant = new PlaceGrant((Flow)source[1], BinaryPrimitives.ReadInt32LittleEndian(source[4..]));
        return grant.Count > 0;
    }
}
