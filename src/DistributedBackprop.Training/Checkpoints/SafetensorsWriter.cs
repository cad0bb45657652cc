using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>
/// Writes float32 tensors as safetensors (https://huggingface.co/docs/safetensors): eight bytes of header length, a JSON
/// header that lists the tensors in the order of their data, padded with spaces so that the data begin at a multiple of
/// eight bytes, then the data without gaps, little-endian. The header is known beforehand, so the data can be streamed.
/// </summary>
public sealed class SafetensorsWriter : IDisposable
{
    private readonly Stream _stream;
    private readonly WeightsHash _hash = new();
    private readonly long _dataElements;
    private readonly string? _announced;
    private long _written;

    /// <summary>
    /// What the metadata of an export say: that the tensors lie as PyTorch has them, and the hash of the data section, by
    /// which a reader finds out that the file is damaged.
    /// </summary>
    /// <param name="weightsSha256">See <see cref="WeightsHash"/>.</param>
    public static IReadOnlyDictionary<string, string> MetadataOf(string weightsSha256) => new Dictionary<string, string>
    {
        ["format"] = "pt",
        [SafetensorsFormat.HashName] = weightsSha256,
    };

    /// <summary>Writes the header.</summary>
    /// <param name="stream">Where to write; stays the caller's.</param>
    /// <param name="layout">The tensors in graph order, weight before bias; no name twice, none <c>__metadata__</c>.</param>
    /// <param name="metadata">Texts for <c>__metadata__</c>, written in ordinal order of their keys; null without.</param>
    /// <exception cref="ArgumentException">A name is not allowed.</exception>
    public SafetensorsWriter(
        Stream stream, IEnumerable<(string Name, Shape Shape)> layout, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(layout);
        _stream = stream;
        var header = new ArrayBufferWriter<byte>();
        _dataElements = WriteHeader(header, layout, metadata);
        _announced = metadata?.GetValueOrDefault(SafetensorsFormat.HashName);
        var padding = (8 - (header.WrittenCount % 8)) % 8;
        header.Write(Encoding.ASCII.GetBytes(new string(' ', padding)));
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.WrittenCount);
        stream.Write(length);
        stream.Write(header.WrittenSpan);
    }

    /// <summary>
    /// Writes the next elements: the tensors' data in the order of the layout. Where one tensor ends and the next begins
    /// does not matter here, so a layer's whole vector may come at once.
    /// </summary>
    /// <exception cref="InvalidOperationException">There are more elements than the layout has.</exception>
    public void Append(ReadOnlySpan<float> elements)
    {
        if (elements.Length > _dataElements - _written)
        {
            throw new InvalidOperationException(
                $"The layout has {_dataElements} elements; {_written} were written and {elements.Length} more came.");
        }

        _stream.Write(MemoryMarshal.AsBytes(elements));
        _hash.Append(elements);
        _written += elements.Length;
    }

    /// <summary>Flushes, and tells the hash of the data section.</summary>
    /// <returns><c>weightsSha256</c>, 64 lower-case hexadecimal digits.</returns>
    /// <exception cref="InvalidOperationException">
    /// Elements of the layout are missing, or they are others than the metadata say.
    /// </exception>
    public string Complete()
    {
        if (_written != _dataElements)
        {
            throw new InvalidOperationException($"The layout has {_dataElements} elements; only {_written} were written.");
        }

        var hash = _hash.ToString();
        if (_announced is not null && hash != _announced)
        {
            throw new InvalidOperationException($"The hash of the data is {hash}; the header says {_announced}.");
        }

        _stream.Flush();
        return hash;
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private static long WriteHeader(
        IBufferWriter<byte> header, IEnumerable<(string Name, Shape Shape)> layout, IReadOnlyDictionary<string, string>? metadata)
    {
        using var json = new Utf8JsonWriter(header);
        json.WriteStartObject();
        if (metadata is not null)
        {
            json.WriteStartObject(SafetensorsFormat.MetadataName);
            foreach (var (key, text) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                json.WriteString(key, text);
            }

            json.WriteEndObject();
        }

        var names = new HashSet<string>(StringComparer.Ordinal) { SafetensorsFormat.MetadataName };
        long elements = 0;
        foreach (var (name, shape) in layout)
        {
            if (string.IsNullOrEmpty(name) || !names.Add(name))
            {
                throw new ArgumentException($"\"{name}\" is empty, reserved or there twice.", nameof(layout));
            }

            WriteTensor(json, name, shape, elements);
            elements += shape.Length;
        }

        json.WriteEndObject();
        return elements;
    }

    private static void WriteTensor(Utf8JsonWriter json, string name, Shape shape, long firstElement)
    {
        json.WriteStartObject(name);
        json.WriteString("dtype", SafetensorsFormat.Float32);
        json.WriteStartArray("shape");
        foreach (var axis in shape.Axes)
        {
            json.WriteNumberValue(axis);
        }

        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(firstElement * sizeof(float));
        json.WriteNumberValue((firstElement + shape.Length) * sizeof(float));
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
