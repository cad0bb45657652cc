using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DistributedBackprop.Cli.Tests.Train;

/// <summary>
/// A safetensors file, taken apart without the product's reader (https://huggingface.co/docs/safetensors): eight bytes of
/// header length, little-endian; a JSON header; the data.
/// </summary>
internal sealed record SafetensorsBytes(JsonObject Header, byte[] Data)
{
    /// <summary>Every tensor's name and shape, in the order of their data.</summary>
    public IReadOnlyList<(string Name, int[] Shape)> Tensors =>
    [
        .. from entry in Header
           where entry.Key != "__metadata__"
           orderby (int)entry.Value!["data_offsets"]![0]!
           select (entry.Key, entry.Value!["shape"]!.Deserialize<int[]>()!),
    ];

    public string DataSha256 => Convert.ToHexStringLower(SHA256.HashData(Data));

    public static SafetensorsBytes Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        return new SafetensorsBytes(JsonNode.Parse(bytes.AsSpan(8, length))!.AsObject(), bytes[(8 + length)..]);
    }

    /// <summary>One tensor's elements.</summary>
    public float[] Elements(string name)
    {
        var tensor = Header[name]!;
        ((string)tensor["dtype"]!).ShouldBe("F32");
        var offsets = tensor["data_offsets"]!.Deserialize<int[]>()!;
        return MemoryMarshal.Cast<byte, float>(Data.AsSpan(offsets[0], offsets[1] - offsets[0])).ToArray();
    }

    /// <summary>Writes it, as it is.</summary>
    public void Write(string path)
    {
        var header = JsonSerializer.SerializeToUtf8Bytes(Header);
        var length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        File.WriteAllBytes(path, [.. length, .. header, .. Data]);
    }
}
