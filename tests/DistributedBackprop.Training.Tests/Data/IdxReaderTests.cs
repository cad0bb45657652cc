using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Data;

public class IdxReaderTests
{
    private static readonly byte[] _images = IdxBytes.Of(0x08, [2, 1, 3], 1, 2, 3, 4, 5, 255);
    private static readonly byte[] _labels = IdxBytes.Of(0x08, [2], 7, 0);

    private static Examples Read(byte[] features, byte[] labels, int? classes = null) =>
        IdxReader.Read(new MemoryStream(features), "features.idx", new MemoryStream(labels), "labels.idx", classes);

    private static DataException Refused(byte[] features, byte[] labels, int? classes = null) =>
        Should.Throw<DataException>(() => Read(features, labels, classes));

    private static float[] FeaturesOf(Examples examples)
    {
        var features = new float[examples.Count * examples.Shape.Length];
        examples.Gather(Enumerable.Range(0, examples.Count).ToArray(), 1, features, new int[examples.Count]);
        return features;
    }

    private static byte[] With(byte[] bytes, int at, byte value)
    {
        var changed = (byte[])bytes.Clone();
        changed[at] = value;
        return changed;
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Bytes_plain_or_gzip(bool packedFeatures, bool packedLabels)
    {
        var examples = Read(
            packedFeatures ? IdxBytes.Gzip(_images) : _images, packedLabels ? IdxBytes.Gzip(_labels) : _labels);

        examples.Count.ShouldBe(2);
        examples.Shape.ShouldBe(new Shape(1, 3));
        examples.FeatureType.ShouldBe(FeatureType.UInt8);
        examples.Labels.ToArray().ShouldBe([7, 0]);
        FeaturesOf(examples).ShouldBe([1, 2, 3, 4, 5, 255]);
    }

    [Fact]
    public void Floats_and_integer_labels_are_big_endian()
    {
        var examples = Read(IdxBytes.Floats([3, 2], 1, -0f, 2.5f, 1e-40f, 3, float.MaxValue), IdxBytes.Integers([3], 2, 0, 70_000));

        examples.FeatureType.ShouldBe(FeatureType.Float32);
        examples.Labels.ToArray().ShouldBe([2, 0, 70_000]);
        FeaturesOf(examples).Select(BitConverter.SingleToUInt32Bits).ShouldBe(
            new[] { 1, -0f, 2.5f, 1e-40f, 3, float.MaxValue }.Select(BitConverter.SingleToUInt32Bits));
    }

    [Fact]
    public void Rank_1_is_one_feature_each()
    {
        var examples = Read(IdxBytes.Floats([2], 5, 6), _labels);
        examples.Shape.ShouldBe(new Shape(1));
        FeaturesOf(examples).ShouldBe([5, 6]);
    }

    [Fact]
    public void A_large_packed_file_comes_whole_though_memory_grows_with_what_has_come()
    {
        // Zeros pack a thousandfold: the first guess of the memory is far too small, and it grows several times.
        var content = new byte[5_000_000];
        content[^1] = 9;
        content[3_000_001] = 8;
        var examples = Read(IdxBytes.Gzip(IdxBytes.Of(0x08, [2, 2_500_000], content)), _labels);
        var features = FeaturesOf(examples);
        features[^1].ShouldBe(9);
        features[3_000_001].ShouldBe(8);
        features.Sum().ShouldBe(17);
    }

    public static TheoryData<string, byte[], byte[], int?, string, long?> Wrong => new()
    {
        { "features.idx", [], _labels, null, "ends within its header", 0 },
        { "features.idx", [0, 0, 8], _labels, null, "ends within its header", 3 },
        { "features.idx", _images[..10], _labels, null, "ends within its header", 10 },
        { "features.idx", With(_images, 0, 0x50), _labels, null, "no IDX file", 0 },
        { "features.idx", With(_images, 1, 1), _labels, null, "no IDX file", 0 },
        { "features.idx", With(_images, 2, 0x0a), _labels, null, "element type 0x0a", 2 },
        { "features.idx", With(_images, 2, 0x0c), _labels, null, "holds Int32 features", 2 },
        { "features.idx", With(_images, 2, 0x0e), _labels, null, "holds Float64 features", 2 },
        { "features.idx", With(_images, 3, 0), _labels, null, "rank 0", 3 },
        { "features.idx", With(_images, 3, 9), _labels, null, "rank 9", 3 },
        { "features.idx", With(_images, 4, 0xff), _labels, null, "axis 0 is -", 4 },
        { "features.idx", IdxBytes.Of(0x08, [2, -1]), _labels, null, "axis 1 is -1 long", 8 },
        { "features.idx", IdxBytes.Of(0x08, [0, 3]), _labels, null, "axis 0 is 0 long", 4 },
        { "features.idx", IdxBytes.Of(0x08, [2, 0]), _labels, null, "axis 1 is 0 long", 8 },
        { "features.idx", IdxBytes.Of(0x08, [2, 65536, 65536]), _labels, null, "too many elements", 12 },
        { "features.idx", IdxBytes.Of(0x08, [2, int.MaxValue, int.MaxValue, int.MaxValue]), _labels, null, "too many elements", 8 },
        { "features.idx", IdxBytes.Of(0x08, [2, 1_000_000_000], 1), _labels, null, "its header promises 2000000000", 12 },
        { "features.idx", IdxBytes.Of(0x0d, [2, 500_000_000], 1), _labels, null, "its header promises 4000000000", 12 },
        { "features.idx", _images[..^1], _labels, null, "ends after 5 bytes of elements", 16 },
        { "features.idx", [.. _images, 0], _labels, null, "goes on after its last element", 22 },
        { "features.idx", IdxBytes.Gzip([.. _images, 0]), _labels, null, "goes on after its last element", 22 },
        { "features.idx", IdxBytes.Gzip(_images[..^1]), _labels, null, "ends after 5 bytes of elements", 21 },
        { "features.idx", IdxBytes.Gzip(IdxBytes.Of(0x08, [2, 1_000_000_000], 1)), _labels, null, "promises 2000000000", 13 },
        { "features.idx", IdxBytes.Of(0x08, [3, 2], 1, 2, 3, 4, 5, 6), _labels, null, "3 examples, but labels.idx has 2", 4 },
        { "features.idx", IdxBytes.Floats([2, 2], 1, 2, 3, float.NaN), _labels, null, "feature NaN of example 1", 24 },
        { "features.idx", IdxBytes.Floats([2, 2], 1, float.NegativeInfinity, 3, 4), _labels, null, "of example 0", 16 },
        { "labels.idx", _images, IdxBytes.Of(0x08, [2, 1], 7, 0), null, "has rank 2", 3 },
        { "labels.idx", _images, IdxBytes.Floats([2], 7, 0), null, "holds Float32 labels", 2 },
        { "labels.idx", _images, IdxBytes.Integers([0]), null, "axis 0 is 0 long", 4 },
        { "labels.idx", _images, IdxBytes.Integers([2], 0, -1), null, "label -1 of example 1", 12 },
        { "labels.idx", _images, IdxBytes.Integers([2], 16_777_217, 0), null, "label 16777217 of example 0", 8 },
        { "labels.idx", _images, _labels, 7, "label 7 of example 0 (allowed: 0 … 6)", 8 },
        { "labels.idx", _images, [.. _labels, 1], null, "goes on after its last element", 10 },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_wrong_is_said_with_its_place(
        string file, byte[] features, byte[] labels, int? classes, string what, long? offset)
    {
        var error = Refused(features, labels, classes);
        error.Message.ShouldContain(what);
        error.Message.ShouldStartWith(file);
        error.File.ShouldBe(file);
        error.ByteOffset.ShouldBe(offset);
    }

    [Fact]
    public void The_highest_label_allowed_is_allowed() => Read(_images, _labels, 8).Labels[0].ShouldBe(7);

    [Fact]
    public void Damaged_gzip_is_refused_wherever_it_is_damaged()
    {
        var packed = IdxBytes.Gzip(_images);
        for (var length = 2; length < packed.Length; length++)
        {
            Refused(packed[..length], _labels).File.ShouldBe("features.idx");
        }

        // The last eight bytes are CRC and length.
        for (var at = packed.Length - 8; at < packed.Length; at++)
        {
            Refused(With(packed, at, (byte)(packed[at] ^ 1)), _labels).Message.ShouldContain("damaged gzip");
        }

        Refused([.. packed, .. packed], _labels).Message.ShouldContain("goes on");
        Refused([.. packed, 1, 2, 3], _labels).Message.ShouldContain("something follows");
    }

    [Fact]
    public void A_stream_that_does_not_know_its_length_is_the_callers_mistake()
    {
        using var pipe = new System.IO.Compression.DeflateStream(new MemoryStream(), System.IO.Compression.CompressionMode.Decompress);
        Should.Throw<ArgumentException>(() => IdxReader.Read(pipe, "f", pipe, "l"));
    }
}
