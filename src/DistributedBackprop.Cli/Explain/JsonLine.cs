using System.Text.Json;

namespace DistributedBackprop.Cli.Explain;

/// <summary>One JSON object a line.</summary>
internal static class JsonLine
{
    public static void Write(Stream output, Action<Utf8JsonWriter> members)
    {
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        output.WriteByte((byte)'\n');
    }
}
