using System.Buffers;
using System.Text.Json;

namespace DistributedBackprop.Cli.Output;

/// <summary>One JSON object a line.</summary>
internal static class JsonLine
{
    /// <summary>
    /// Writes an object with its line end in one piece: who is killed between two pieces would leave a line that has no end, and a
    /// pipe takes 4,096 bytes whole or not at all (POSIX, <c>PIPE_BUF</c>).
    /// </summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="members">Writes its properties.</param>
    public static void Write(Stream output, Action<Utf8JsonWriter> members)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        line.Write("\n"u8);
        output.Write(line.WrittenSpan);
        output.Flush();
    }
}
