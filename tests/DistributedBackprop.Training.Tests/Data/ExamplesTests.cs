using CsCheck;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Data;

public class ExamplesTests
{
    private static readonly Gen<float> _factors = Gen.OneOf<float>(Gen.Float[-2, 2], Gen.OneOf(1f, 1 / 255f, (float)(1 / 255.0), 1e-38f));

    [Fact]
    public void Gathered_bytes_have_the_bits_of_a_scalar_loop() =>
        Gen.Select(Gen.Int[1, 300], Gen.Int[1, 6], _factors).SelectMany((length, count, factor) => Gen.Select(
            Gen.Const(length), Gen.Byte.Array[length * count], Gen.Int[0, count - 1].Array[0, 8], Gen.Const(factor)))
        .Sample((length, bytes, indices, factor) =>
        {
            var labels = Enumerable.Range(5, bytes.Length / length).ToArray();
            var (features, gathered) = Gather(Examples.OfBytes(new Shape(length), bytes, labels), indices, factor);
            features.ShouldBe(indices.SelectMany(
                i => bytes.AsSpan(i * length, length).ToArray().Select(b => BitConverter.SingleToUInt32Bits((float)b * factor))));
            gathered.ShouldBe(indices.Select(i => labels[i]));
        });

    [Fact]
    public void Gathered_floats_have_the_bits_of_a_scalar_loop() =>
        Gen.Select(Gen.Int[1, 60], Gen.Int[1, 6], _factors).SelectMany((length, count, factor) => Gen.Select(
            Gen.Const(length), Gen.Float.Array[length * count], Gen.Int[0, count - 1].Array[0, 8], Gen.Const(factor)))
        .Sample((length, floats, indices, factor) =>
        {
            var labels = new int[floats.Length / length];
            var (features, _) = Gather(Examples.OfFloats(new Shape(length), floats, labels), indices, factor);
            var expected = indices.SelectMany(i => floats.AsSpan(i * length, length).ToArray().Select(v => v * factor)).ToArray();
            features.Zip(expected).ShouldAllBe(pair =>
                pair.First == BitConverter.SingleToUInt32Bits(pair.Second)
                || (float.IsNaN(pair.Second) && float.IsNaN(BitConverter.UInt32BitsToSingle(pair.First))));
        });

    [Fact]
    public void Gathering_allocates_nothing()
    {
        var examples = Examples.OfBytes(new Shape(28, 28), new byte[10 * 784], new int[10]);
        var indices = new[] { 3, 1, 9 };
        var features = new float[3 * 784];
        var labels = new int[3];
        examples.Gather(indices, 0.5f, features, labels);
        var before = GC.GetAllocatedBytesForCurrentThread();
        examples.Gather(indices, 0.5f, features, labels);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var examples = Examples.OfBytes(new Shape(2), [1, 2, 3, 4], [0, 1]);
        Should.Throw<ArgumentOutOfRangeException>(() => examples.Gather([2], 1, new float[2], new int[1]));
        Should.Throw<ArgumentOutOfRangeException>(() => examples.Gather([-1], 1, new float[2], new int[1]));
        Should.Throw<ArgumentException>(() => examples.Gather([0], 1, new float[3], new int[1]));
        Should.Throw<ArgumentException>(() => examples.Gather([0], 1, new float[2], new int[2]));
        Should.Throw<ArgumentException>(() => Examples.OfBytes(new Shape(2), [1, 2, 3], [0, 1]));
        Should.Throw<ArgumentException>(() => Examples.OfFloats(new Shape(2), [], []));
        Should.Throw<ArgumentException>(() => Examples.OfFloats(new Shape(1), [1], [-1]));
    }

    [Fact]
    public void A_fingerprint_depends_on_every_part()
    {
        static Examples Bytes(Shape shape, byte last, int label) => Examples.OfBytes(shape, [1, 2, 3, last], [0, label]);
        var set = Bytes(new Shape(2), 4, 1);
        var zeros = Examples.OfBytes(new Shape(4), new byte[4], [0]);
        DataSet[] different =
        [
            new(set, null),
            new(set, set),
            new(set, Bytes(new Shape(2), 4, 0)),
            new(Bytes(new Shape(2), 5, 1), null),
            new(Bytes(new Shape(2), 4, 2), null),
            new(Bytes(new Shape(1, 2), 4, 1), null),
            new(zeros, null),
            new(Examples.OfFloats(new Shape(1), new float[1], [0]), null),
        ];

        different.Select(data => data.Fingerprint).Distinct().Count().ShouldBe(different.Length);
        new DataSet(Bytes(new Shape(2), 4, 1), null, 0.5f).Fingerprint.ShouldBe(different[0].Fingerprint);
        different[4].Classes.ShouldBe(3);
        Should.Throw<ArgumentException>(() => new DataSet(set, zeros));
    }

    [Fact]
    public void A_fingerprint_is_sha_256_of_the_form_that_is_documented()
    {
        var data = new DataSet(Examples.OfBytes(new Shape(1, 2), [1, 2, 3, 4], [0, 258]), null);
        byte[] form = [.. "train uint8 1,2 2\n"u8, 1, 2, 3, 4, 0, 0, 0, 0, 2, 1, 0, 0, .. "test none\n"u8];
        data.Fingerprint.ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(form)));
    }

    private static (uint[] Features, int[] Labels) Gather(Examples examples, int[] indices, float factor)
    {
        var features = new float[indices.Length * examples.Shape.Length];
        var labels = new int[indices.Length];
        examples.Gather(indices, factor, features, labels);
        return (Array.ConvertAll(features, BitConverter.SingleToUInt32Bits), labels);
    }
}
