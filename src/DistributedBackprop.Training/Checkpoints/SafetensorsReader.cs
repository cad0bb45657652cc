using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>
/// Reads safetensors that somebody else may have written: everything the header says is checked against the file's real
/// length before memory is taken. Where its metadata have the hash of its data, as our exports do, data that are others are
/// refused.
/// </summary>
public static class SafetensorsReader
{
    /// <summary>Reads every tensor and the metadata.</summary>
    /// <param name="stream">A file's stream, which knows its length; stays the caller's.</param>
    /// <param name="fileName">How errors call it.</param>
    /// <exception cref="SafetensorsException">The file is damaged, or holds another type than F32.</exception>
    /// <exception cref="ArgumentException">The stream cannot seek.</exception>
    public static SafetensorsContent Read(Stream stream, string fileName)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek)
        {
            throw new ArgumentException("The stream must know its length.", nameof(stream));
        }

        var bytesLeft = stream.Length - stream.Position;
        var headerBytes = ReadHeaderLength(stream, bytesLeft, fileName);
        var header = new byte[headerBytes];
        ReadExactly(stream, header, fileName, null);
        var (entries, metadata) = SafetensorsHeader.Parse(header, fileName);
        var dataBytes = bytesLeft - SafetensorsFormat.LengthBytes - headerBytes;
        CheckOffsets(entries, dataBytes, fileName);

        using var hash = new WeightsHash();
        var tensors = ImmutableArray.CreateBuilder<NamedTensor>(entries.Count);
        foreach (var entry in entries)
        {
            var data = new float[entry.Shape.Length];
            ReadExactly(stream, MemoryMarshal.AsBytes(data.AsSpan()), fileName, entry.Name);
            hash.Append(data);
            tensors.Add(new NamedTensor(entry.Name, entry.Shape, data));
        }

        if (metadata.TryGetValue(SafetensorsFormat.HashName, out var announced) && announced != hash.ToString())
        {
            throw new SafetensorsException(
                fileName, null, $"the SHA-256 of its data is {hash}, and not what its header says: it is damaged", "the file as it was written");
        }

        return new SafetensorsContent(tensors.MoveToImmutable(), metadata);
    }

    private static int ReadHeaderLength(Stream stream, long fileBytes, string fileName)
    {
        if (fileBytes < SafetensorsFormat.LengthBytes)
        {
            throw new SafetensorsException(
                fileName, null, $"ends after {fileBytes} bytes, before the header's length", "a safetensors file");
        }

        Span<byte> buffer = stackalloc byte[SafetensorsFormat.LengthBytes];
        ReadExactly(stream, buffer, fileName, null);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(buffer);
        var room = (ulong)(fileBytes - SafetensorsFormat.LengthBytes);
        var most = Math.Min(room, SafetensorsFormat.HeaderBytesMax);
        if (length < 2 || length > most)
        {
            throw new SafetensorsException(
                fileName, null, $"the header's length is {length} bytes in a file of {fileBytes}",
                most < 2 ? "a longer file" : $"2 … {most}");
        }

        return (int)length;
    }

    // In the order of their data each tensor must begin where the one before ended: no hole, no overlap, no rest.
    private static void CheckOffsets(List<SafetensorsEntry> entries, long dataBytes, string fileName)
    {
        entries.Sort(static (a, b) => (a.Begin, a.End, a.Place).CompareTo((b.Begin, b.End, b.Place)));
        long end = 0;
        foreach (var entry in entries)
        {
            var needed = (long)entry.Shape.Length * sizeof(float);
            if (entry.End - entry.Begin != needed)
            {
                throw new SafetensorsException(
                    fileName, entry.Name, $"data_offsets [{entry.Begin}, {entry.End}] do not fit shape {entry.Shape}",
                    $"{needed} bytes");
            }

            if (entry.Begin != end)
            {
                var what = entry.Begin < end ? "overlaps the tensor before it" : "leaves a hole before it";
                throw new SafetensorsException(
                    fileName, entry.Name, $"data begin at {entry.Begin} and {what}", $"a begin at {end}");
            }

            if (entry.End > dataBytes)
            {
                throw new SafetensorsException(
                    fileName, entry.Name, $"data end at {entry.End}, but the file has only {dataBytes} bytes of data: cut off");
            }

            end = entry.End;
        }

        if (end != dataBytes)
        {
            throw new SafetensorsException(
                fileName, null, $"{dataBytes - end} bytes follow the last tensor's data", "a file that ends there");
        }
    }

    private static void ReadExactly(Stream stream, Span<byte> destination, string fileName, string? tensor)
    {
        try
        {
            stream.ReadExactly(destination);
        }
        catch (EndOfStreamException cause)
        {
            // The length was checked: the file shrank while it was read.
            throw new SafetensorsException(fileName, tensor, "ended while it was read", null, cause);
        }
    }
}
