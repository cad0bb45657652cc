using System.Text;
using CsCheck;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Training.Tests.Checkpoints;

/// <summary>
/// A safetensors file has no checksum: its lengths, names and shapes guard it, and the hash of its weights, which a job's
/// identity contains, tells its numbers apart.
/// </summary>
public class SafetensorsDamageTests
{
    private const string Header =
        """{"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"a.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}}""";

    private static readonly byte[] _file = Filled(SafetensorsTests.File(Header, 32));
    private static readonly string _content = ContentOf(_file)!;

    [Fact]
    public void Of_ten_thousand_mutated_files_none_passes_for_the_one_that_was_written() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, _file.Length - 1], Gen.Int[1, 255]).Sample(
            (kind, at, change) =>
            {
                var file = (byte[])_file.Clone();
                file[at] ^= kind == 0 ? (byte)change : (byte)(1 << (change % 8));
                file = kind switch
                {
                    2 => _file[..at],
                    3 => [.. _file, .. new byte[change]],
                    _ => file,
                };
                ContentOf(file).ShouldNotBe(_content);
            },
            iter: 10_000);

    // Names, shapes and weightsSha256; null where the file is refused.
    private static string? ContentOf(byte[] file)
    {
        try
        {
            using var hash = new WeightsHash();
            var said = new StringBuilder();
            foreach (var tensor in SafetensorsTests.Read(file))
            {
                hash.Append(tensor.Data.Span);
                said.Append(tensor.Name).Append(tensor.Shape);
            }

            return $"{said} {hash}";
        }
        catch (SafetensorsException)
        {
            return null;
        }
    }

    private static byte[] Filled(byte[] file)
    {
        for (var i = file.Length - 32; i < file.Length; i++)
        {
            file[i] = (byte)((i * 37) + 1);
        }

        return file;
    }
}
