using System.Buffers.Binary;
using System.IO.Compression;

namespace DistributedBackprop.Training.Tests.Data;

/// <summary>IDX files as tests write them.</summary>
internal static class IdxBytes
{
    public static byte[] Of(byte type, int[] axes, params byte[] elements)
    {
        var bytes = new byte[4 + (4 * axes.Length) + elements.Length];
        bytes[2] = type;
        bytes[3] = (byte)axes.Length;
        for (var axis = 0; axis < axes.Length; axis++)
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + (4 * axis)), axes[axis]);
        }

        elements.CopyTo(bytes.AsSpan(4 + (4 * axes.Length)));
        return bytes;
    }

    public static byte[] Floats(int[] axes, params float[] elements) => Of(0x0d, axes, BigEndian(elements,
        (place, value) => BinaryPrimitives.WriteSingleBigEndian(place, value)));

    public static byte[] Integers(int[] axes, params int[] elements) => Of(0x0c, axes, BigEndian(elements,
        (place, value) => BinaryPrimitives.WriteInt32BigEndian(place, value)));

    public static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }

    private delegate void Write<T>(Span<byte> place, T value);

    private static byte[] BigEndian<T>(T[] elements, Write<T> write)
    {
        var bytes = new byte[4 * elements.Length];
        for (var i = 0; i < elements.Length; i++)
        {
            write(bytes.AsSpan(4 * i), elements[i]);
        }

        return bytes;
    }
}
