using System.Text;
using DistributedBackprop.Cli.Output;

namespace DistributedBackprop.Cli.Tests.Output;

/// <summary>A line for programs: whole, or not there.</summary>
public sealed class JsonLineTests
{
    [Fact]
    public void A_line_and_its_end_go_out_in_one_piece()
    {
        using var output = new Pieces();
        foreach (var length in new[] { 1, 250, 3000 })
        {
            JsonLine.Write(output, json => json.WriteString("event", new string('x', length)));
        }

        output.Written.ShouldBe([.. new[] { 1, 250, 3000 }.Select(length => $$"""{"event":"{{new string('x', length)}}"}""" + "\n")]);
    }

    private sealed class Pieces : MemoryStream
    {
        public List<string> Written { get; } = [];

        public override void Write(ReadOnlySpan<byte> buffer) => Written.Add(Encoding.UTF8.GetString(buffer));

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void WriteByte(byte value) => Write([value]);
    }
}
