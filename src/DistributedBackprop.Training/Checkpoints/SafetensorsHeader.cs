using System.Collections.Immutable;
using System.Text.Json;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>A tensor as the header announces it.</summary>
/// <param name="Name">Its name, not empty.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Begin">Its first byte within the data section, ≥ 0.</param>
/// <param name="End">One past its last byte.</param>
/// <param name="Place">Its place in the header, from 0: the order among empty tensors.</param>
internal sealed record SafetensorsEntry(string Name, Shape Shape, long Begin, long End, int Place);

/// <summary>The JSON header: members are tensors, but for <c>__metadata__</c>.</summary>
internal static class SafetensorsHeader
{
    private const string Members = "dtype, shape and data_offsets, each once";

    // Far more than anybody uses; without a bound a header of 100 MB could be one shape.
    private const int AxesMax = 64;

    public static (List<SafetensorsEntry> Entries, ImmutableDictionary<string, string> Metadata) Parse(
        ReadOnlySpan<byte> header, string fileName)
    {
        try
        {
            return ParseJson(header, fileName);
        }
        catch (Exception cause) when (cause is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string in it is no valid UTF-8 or holds half a surrogate pair.
            throw new SafetensorsException(fileName, null, $"the header is not valid JSON: {cause.Message}", null, cause);
        }
    }

    private static (List<SafetensorsEntry> Entries, ImmutableDictionary<string, string> Metadata) ParseJson(
        ReadOnlySpan<byte> header, string fileName)
    {
        var json = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = 8 });
        var entries = new List<SafetensorsEntry>();
        var metadata = ImmutableDictionary<string, string>.Empty;
        var names = new HashSet<string>(StringComparer.Ordinal);
        json.Read();
        Expect(json.TokenType == JsonTokenType.StartObject, fileName, null, "the header is no object", "{…}");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString()!;
            Expect(names.Add(name), fileName, name, "is there twice", "every name once");
            json.Read();
            if (name == SafetensorsFormat.MetadataName)
            {
                metadata = ParseMetadata(ref json, fileName);
            }
            else
            {
                Expect(name.Length > 0, fileName, name, "has no name", "a name");
                entries.Add(ParseTensor(ref json, fileName, name, entries.Count));
            }
        }

        // Anything but spaces after the object throws here.
        json.Read();
        return (entries, metadata);
    }

    private static ImmutableDictionary<string, string> ParseMetadata(ref Utf8JsonReader json, string fileName)
    {
        const string Name = SafetensorsFormat.MetadataName;
        Expect(json.TokenType == JsonTokenType.StartObject, fileName, Name, "is no object", "an object of texts");
        var metadata = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var key = json.GetString()!;
            json.Read();
            Expect(json.TokenType == JsonTokenType.String, fileName, Name, $"\"{key}\" is no text", "an object of texts");
            Expect(metadata.TryAdd(key, json.GetString()!), fileName, Name, $"\"{key}\" is there twice", "every key once");
        }

        return metadata.ToImmutable();
    }

    private static SafetensorsEntry ParseTensor(ref Utf8JsonReader json, string fileName, string name, int place)
    {
        Expect(json.TokenType == JsonTokenType.StartObject, fileName, name, "is no object", Members);
        string? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var member = json.GetString()!;
            json.Read();
            var isNew = member switch
            {
                "dtype" => type is null,
                "shape" => shape is null,
                "data_offsets" => offsets is null,
                _ => false,
            };
            Expect(isNew, fileName, name, $"has an unknown or second member \"{member}\"", Members);
            switch (member)
            {
                case "dtype":
                    Expect(json.TokenType == JsonTokenType.String, fileName, name, "dtype is no text", SafetensorsFormat.Float32);
                    type = json.GetString();
                    break;
                case "shape":
                    shape = ParseNumbers(ref json, fileName, name, member);
                    break;
                default:
                    offsets = ParseNumbers(ref json, fileName, name, member);
                    break;
            }
        }

        Expect(type is not null && shape is not null && offsets is not null, fileName, name, "lacks a member", Members);
        Expect(type == SafetensorsFormat.Float32, fileName, name, $"dtype is {type}", SafetensorsFormat.Float32);
        Expect(offsets!.Count == 2 && offsets[0] <= offsets[1], fileName, name,
            $"data_offsets are [{string.Join(", ", offsets.Take(4))}]", "[begin, end] with begin ≤ end");
        return new SafetensorsEntry(name, ShapeOf(shape!, fileName, name), offsets[0], offsets[1], place);
    }

    private static List<long> ParseNumbers(ref Utf8JsonReader json, string fileName, string name, string member)
    {
        const string Allowed = "an array of whole numbers from 0";
        Expect(json.TokenType == JsonTokenType.StartArray, fileName, name, $"{member} is no array", Allowed);
        var numbers = new List<long>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            long number = -1;
            var isNumber = json.TokenType == JsonTokenType.Number && json.TryGetInt64(out number) && number >= 0;
            Expect(isNumber, fileName, name, $"{member} holds something else", Allowed);
            Expect(numbers.Count < AxesMax, fileName, name, $"{member} has more numbers", $"up to {AxesMax}");
            numbers.Add(number);
        }

        return numbers;
    }

    private static Shape ShapeOf(List<long> axes, string fileName, string name)
    {
        // Multiplied in the order of the axes, as Shape does: a zero further back must not hide an overflow.
        long length = 1;
        foreach (var axis in axes)
        {
            Expect(axis <= int.MaxValue, fileName, name, $"an axis is {axis} long", $"0 … {int.MaxValue}");
            length *= axis;
            Expect(length <= Array.MaxLength, fileName, name, "its shape is too large", $"{Array.MaxLength} elements");
        }

        return new Shape([.. axes.Select(axis => (int)axis)]);
    }

    private static void Expect(bool holds, string fileName, string? tensor, string what, string allowed)
    {
        if (!holds)
        {
            throw new SafetensorsException(fileName, tensor, what, allowed);
        }
    }
}
