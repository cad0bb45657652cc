using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// Reads pairs of IDX files, plain or gzip: features of uint8 or float32, labels of uint8 or int32. Everything is checked,
/// and before memory is taken.
/// </summary>
public static class IdxReader
{
    /// <summary>The highest label where the model sets no bound: every whole number up to it is exact as float32.</summary>
    public const int LabelMax = 1 << 24;

    /// <summary>Reads a pair.</summary>
    /// <param name="features">The features: the first axis counts examples, the others are the shape of one; of rank 1:
    /// one feature each. A stream that knows its length; stays the caller's.</param>
    /// <param name="featuresName">How errors call it.</param>
    /// <param name="labels">The labels, of rank 1; like <paramref name="features"/>.</param>
    /// <param name="labelsName">How errors call it.</param>
    /// <param name="classes">How many classes the model tells apart, ≥ 1; null: labels up to <see cref="LabelMax"/>.</param>
    /// <exception cref="DataException">A file is damaged, does not fit the other, or holds what is not allowed.</exception>
    /// <exception cref="ArgumentException">A stream cannot seek.</exception>
    public static Examples Read(
        Stream features, string featuresName, Stream labels, string labelsName, int? classes = null)
    {
        var labelValues = ReadLabels(labels, labelsName, classes);
        using var source = IdxSource.Open(features, featuresName);
        var header = IdxHeader.Read(source);
        if (header.Count != labelValues.Length)
        {
            throw new DataException(
                featuresName, $"has {header.Count} examples, but {labelsName} has {labelValues.Length} labels",
                "as many of one as of the other", 4);
        }

        var shape = header.Axes.Length == 1 ? new Shape(1) : new Shape(header.Axes.AsSpan()[1..]);
        return header.Type switch
        {
            IdxType.UInt8 => Examples.OfBytes(shape, source.ReadToEnd<byte>(header.Elements), labelValues),
            IdxType.Float32 => Examples.OfFloats(shape, ReadFloats(source, header), labelValues),
            _ => throw new DataException(
                featuresName, $"holds {header.Type} features (0x{(byte)header.Type:x2})", "uint8 (0x08) or float32 (0x0d)", 2),
        };
    }

    private static float[] ReadFloats(IdxSource source, IdxHeader header)
    {
        var floats = source.ReadToEnd<float>(header.Elements);
        var words = MemoryMarshal.Cast<float, int>(floats.AsSpan());
        BinaryPrimitives.ReverseEndianness(words, words);
        for (var i = 0; i < floats.Length; i++)
        {
            if (!float.IsFinite(floats[i]))
            {
                throw new DataException(
                    source.Name,
                    FormattableString.Invariant($"feature {floats[i]} of example {i / (floats.Length / header.Count)}"),
                    "finite numbers",
                    header.Bytes + (4L * i));
            }
        }

        return floats;
    }

    private static int[] ReadLabels(Stream stream, string name, int? classes)
    {
        using var source = IdxSource.Open(stream, name);
        var header = IdxHeader.Read(source);
        if (header.Axes.Length != 1)
        {
            throw new DataException(name, $"has rank {header.Axes.Length}", "labels of rank 1", 3);
        }

        int[] labels;
        switch (header.Type)
        {
            case IdxType.UInt8:
                labels = Array.ConvertAll(source.ReadToEnd<byte>(header.Elements), label => (int)label);
                break;
            case IdxType.Int32:
                labels = source.ReadToEnd<int>(header.Elements);
                BinaryPrimitives.ReverseEndianness(labels, labels);
                break;
            default:
                throw new DataException(
                    name, $"holds {header.Type} labels (0x{(byte)header.Type:x2})", "uint8 (0x08) or int32 (0x0c)", 2);
        }

        var highest = classes - 1 ?? LabelMax;
        var at = labels.AsSpan().IndexOfAnyExceptInRange(0, highest);
        if (at >= 0)
        {
            var size = header.Type == IdxType.UInt8 ? 1L : 4L;
            throw new DataException(name, $"label {labels[at]} of example {at}", $"0 … {highest}", header.Bytes + (size * at));
        }

        return labels;
    }
}
