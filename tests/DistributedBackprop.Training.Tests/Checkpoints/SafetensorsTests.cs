using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Checkpoints;

public class SafetensorsTests
{
    private const string OneTensor = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    internal static byte[] File(string header, int dataBytes, ulong? headerLength = null)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + text.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, headerLength ?? (ulong)text.Length);
        text.CopyTo(bytes, 8);
        return bytes;
    }

    internal static ImmutableArray<NamedTensor> Read(byte[] file) => SafetensorsFile.Read(new MemoryStream(file), "w.safetensors");

    private static string Refused(byte[] file)
    {
        var message = Should.Throw<SafetensorsException>(() => Read(file)).Message;
        message.ShouldStartWith("w.safetensors: ");
        return message;
    }

    [Fact]
    public void What_was_written_comes_back_bit_by_bit() =>
        Gen.Select(Gen.String[1, 8], Gen.Int[0, 4].Array[0, 3]).List[0, 5].Where(all => all.DistinctBy(t => t.Item1).Count() == all.Count)
            .SelectMany(all => Gen.Select(Gen.Const(all), Gen.UInt.Array[all.Sum(t => new Shape(t.Item2).Length)]))
            .Where((all, _) => all.All(t => t.Item1 != "__metadata__" && IsText(t.Item1)))
            .Sample((all, words) =>
            {
                var place = 0;
                var tensors = all.ConvertAll(t =>
                {
                    var shape = new Shape(t.Item2);
                    var data = words.AsSpan(place, shape.Length).ToArray().Select(BitConverter.UInt32BitsToSingle).ToArray();
                    place += shape.Length;
                    return new NamedTensor(t.Item1, shape, data);
                });
                using var stream = new MemoryStream();
                var hash = SafetensorsFile.Write(stream, tensors, new Dictionary<string, string> { ["format"] = "pt" });
                var file = stream.ToArray();

                var headerLength = BinaryPrimitives.ReadInt64LittleEndian(file);
                ((8 + headerLength) % 8).ShouldBe(0);
                hash.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(file.AsSpan(8 + (int)headerLength))));
                stream.Position = 0;
                var content = SafetensorsReader.Read(stream, "w.safetensors");
                content.Metadata["format"].ShouldBe("pt");
                content.Tensors.Select(t => (t.Name, t.Shape)).ShouldBe(tensors.Select(t => (t.Name, t.Shape)));
                content.Tensors.SelectMany(t => t.Data.ToArray()).Select(BitConverter.SingleToUInt32Bits).ShouldBe(words);
            });

    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        using var stream = new MemoryStream();
        SafetensorsFile.Write(stream,
        [
            new("dense1.weight", new Shape(1, 2), new float[] { 1, 2 }),
            new("dense1.bias", new Shape(1), new float[] { -0f }),
        ]);
        const string Header =
            """{"dense1.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"dense1.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""";
        var length = (Header.Length + 7) / 8 * 8;
        byte[] expected =
            [(byte)length, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(Header.PadRight(length)), 0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 0, 128];
        stream.ToArray().ShouldBe(expected);
    }

    [Fact]
    public void A_writer_takes_the_layout_and_nothing_else()
    {
        Should.Throw<ArgumentException>(() => Writer(("a", new Shape(1)), ("a", new Shape(1))));
        Should.Throw<ArgumentException>(() => Writer(("__metadata__", new Shape(1))));
        Should.Throw<ArgumentException>(() => Writer(("", new Shape(1))));
        Should.Throw<ArgumentException>(() => SafetensorsFile.Write(new MemoryStream(), [new("a", new Shape(2), new float[1])]));
        using var writer = Writer(("a", new Shape(2)), ("b", new Shape(1)));
        writer.Append([1]);
        Should.Throw<InvalidOperationException>(() => writer.Complete());
        Should.Throw<InvalidOperationException>(() => writer.Append([1, 2, 3]));
        writer.Append([2, 3]);
        using var hash = new WeightsHash();
        hash.Append([1, 2, 3]);
        writer.Complete().ShouldBe(hash.ToString());
    }

    [Fact]
    public void Tensors_come_in_the_order_of_their_data_and_empty_ones_are_tensors()
    {
        var file = File(
            """{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"e":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]},"a":{"shape":[],"data_offsets":[0,4],"dtype":"F32"}}   """, 8);
        Read(file).Select(tensor => tensor.Name).ShouldBe(["a", "e", "b"]);
        Read(File("{}", 0)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("[]", 0, "the header is no object")]
    [InlineData("{ ", 0, "not valid JSON")]
    [InlineData("{} {}", 0, "not valid JSON")]
    [InlineData("{},", 0, "not valid JSON")]
    [InlineData("""{"a":1}""", 0, "tensor \"a\": is no object")]
    [InlineData("""{"a":{}}""", 0, "tensor \"a\": lacks a member")]
    [InlineData("""{"":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "has no name")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "not valid JSON")]
    [InlineData("""{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}""", 4, "tensor \"a\": dtype is BF16 (allowed: F32)")]
    [InlineData("""{"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}}""", 8, "dtype is no text")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8, "shape is no array")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "shape holds something else")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}""", 8, "shape holds something else")]
    [InlineData("""{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}""", 8, "shape holds something else")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}}""", 8, "shape holds something else")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296],"data_offsets":[0,8]}}""", 8, "an axis is 4294967296")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2147483647,2147483647,0],"data_offsets":[0,0]}}""", 0, "too large")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2147483647],"data_offsets":[0,8589934588]}}""", 8, "too large")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "data_offsets are [0]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "begin ≤ end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}""", 8, "data_offsets are [0, 8, 9]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "do not fit shape [3] (allowed: 12 bytes)")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "leaves a hole")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""", 8, "unknown or second member \"x\"")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}""", 8, "unknown or second member \"shape\"")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "tensor \"a\": is there twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "tensor \"b\": data begin at 4 and overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "tensor \"b\": data begin at 0 and overlaps")]
    [InlineData("""{"__metadata__":[]}""", 0, "is no object")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "\"a\" is no text")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "\"a\" is there twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "is there twice")]
    [InlineData(OneTensor, 7, "tensor \"a\": data end at 8, but the file has only 7")]
    [InlineData(OneTensor, 0, "data end at 8, but the file has only 0")]
    [InlineData(OneTensor, 9, "1 bytes follow")]
    public void What_is_wrong_is_said(string header, int dataBytes, string what) =>
        Refused(File(header, dataBytes)).ShouldContain(what);

    [Fact]
    public void A_header_length_is_believed_only_as_far_as_the_file_goes()
    {
        Refused([]).ShouldContain("before the header's length");
        Refused(new byte[7]).ShouldContain("before the header's length");
        Refused(new byte[8]).ShouldContain("the header's length is 0 bytes");
        Refused(File(OneTensor, 8, (ulong)OneTensor.Length + 9)).ShouldContain("the header's length is");
        Refused(File(OneTensor, 8, ulong.MaxValue)).ShouldContain("the header's length is 18446744073709551615");
        Refused(File(OneTensor, 8, 1UL << 63)).ShouldContain("the header's length is");
        using var large = new SparseStream(200_000_000);
        Should.Throw<SafetensorsException>(() => SafetensorsFile.Read(large, "large")).Message.ShouldContain("2 … 100000000");
        Refused(File($$$"""{"a":{"dtype":"F32","shape":[{{{string.Join(',', Enumerable.Repeat("1", 65))}}}],"data_offsets":[0,4]}}""", 4))
            .ShouldContain("more numbers");
    }

    private static SafetensorsWriter Writer(params (string, Shape)[] layout) => new(new MemoryStream(), layout);

    private static bool IsText(string name)
    {
        try
        {
            new UTF8Encoding(false, throwOnInvalidBytes: true).GetByteCount(name);
            return true;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    // Says to be long and to begin with a header of 150 MB, and takes no memory.
    private sealed class SparseStream(long length) : MemoryStream(BitConverter.GetBytes(150_000_000L))
    {
        public override long Length => length;
    }
}
