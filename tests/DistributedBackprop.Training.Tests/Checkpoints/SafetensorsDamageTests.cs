using System.Text;
using CsCheck;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Checkpoints;

/// <summary>
/// An export of ours has the hash of its data in its header, and the reader holds it to that. A file of others without it is
/// guarded by its lengths, names and shapes alone.
/// </summary>
public class SafetensorsDamageTests
{
    private static readonly byte[] _file = Export();
    private static readonly int _dataBegins = 8 + (int)BitConverter.ToInt64(_file);

    [Fact]
    public void Of_the_data_of_an_export_no_byte_may_be_another()
    {
        for (var at = _dataBegins; at < _file.Length; at++)
        {
            var file = (byte[])_file.Clone();
            file[at] ^= (byte)(1 << (at % 8));
            Should.Throw<SafetensorsException>(() => SafetensorsTests.Read(file)).Message.ShouldContain("it is damaged");
        }
    }

    [Fact]
    public void No_two_pieces_of_the_data_may_be_swapped() =>
        Gen.Select(Gen.Int[0, 7], Gen.Int[0, 7]).Where((a, b) => a != b).Sample((a, b) =>
        {
            var file = (byte[])_file.Clone();
            _file.AsSpan(_dataBegins + (4 * a), 4).CopyTo(file.AsSpan(_dataBegins + (4 * b)));
            _file.AsSpan(_dataBegins + (4 * b), 4).CopyTo(file.AsSpan(_dataBegins + (4 * a)));
            Should.Throw<SafetensorsException>(() => SafetensorsTests.Read(file)).Message.ShouldContain("it is damaged");
        });

    [Fact]
    public void A_file_of_others_loads_without_a_hash()
    {
        var text = Encoding.ASCII.GetString(_file.AsSpan(8, _dataBegins - 8)).Replace("weightsSha256", "weightsSha257", StringComparison.Ordinal);
        byte[] file = [.. _file[..8], .. Encoding.ASCII.GetBytes(text), .. _file[_dataBegins..]];
        SafetensorsTests.Read(file).Length.ShouldBe(2);
    }

    [Fact]
    public void A_writer_is_held_to_what_it_has_announced()
    {
        using var writer = new SafetensorsWriter(
            new MemoryStream(), [("a", new Shape(1))], SafetensorsWriter.MetadataOf(new string('0', 64)));
        writer.Append([1]);
        Should.Throw<InvalidOperationException>(() => writer.Complete()).Message.ShouldContain("the header says");
    }

    private static byte[] Export()
    {
        float[] data = [1, 2, 3, 4, 5, 6, 7, 8];
        using var hash = new WeightsHash();
        hash.Append(data);
        using var stream = new MemoryStream();
        using var writer = new SafetensorsWriter(
            stream, [("a.weight", new Shape(2, 3)), ("a.bias", new Shape(2))], SafetensorsWriter.MetadataOf(hash.ToString()));
        writer.Append(data);
        writer.Complete();
        return stream.ToArray();
    }
}
