using CsCheck;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Tests.Transport;

public sealed class FrameHeaderTests
{
    private static readonly TensorPool _pool = new();

    private static readonly Gen<int> _number = Gen.OneOf(Gen.Int[0, 100], Gen.Int[0, int.MaxValue]);

    private static readonly Gen<FrameHeader> _headers = Gen.Select(
        Gen.ULong,
        Gen.Select(Gen.Int[1, int.MaxValue], Gen.Long[0, long.MaxValue]),
        Gen.Select(_number, _number, _number),
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool),
        Gen.Select(Gen.Int[0, 65_535], Gen.Int[0, FrameLimits.Default.MaxEdges - 1], Gen.Int[1, 6]),
        Gen.Int[0, 6].Array[0, 6],
        (job, time, numbers, flags, where, axes) =>
        {
            using var tensor = Tensor.Rent(
                _pool, new Shape(axes), flags.Item3 ? ElementType.Int32 : ElementType.Float32);
            return new FrameHeader
            {
                Job = job,
                Generation = time.Item1,
                Step = time.Item2,
                MicroBatch = numbers.Item1,
                FirstPosition = numbers.Item2,
                Number = numbers.Item3,
                IsTraining = flags.Item1,
                IsLast = flags.Item2,
                Replica = where.Item1,
                Edge = where.Item2,
                Kind = (FrameKind)where.Item3,
            }.Describing(tensor);
        });

    [Fact]
    public void What_is_written_is_read() => _headers.Sample(header =>
    {
        var bytes = Written(header);
        FrameHeader.TryParse(bytes, FrameLimits.Default, out var read, out var error).ShouldBeTrue(error);
        read.ShouldBe(header);
    });

    // Every accepted header has one form only, and names a shape of just its payload.
    [Fact]
    public void Whatever_is_changed_the_header_is_refused_or_says_what_its_bytes_say() =>
        Gen.Select(_headers, Gen.Select(Gen.Int[0, 63], Gen.Byte).Array[1, 4]).Sample((header, changes) =>
        {
            var bytes = Written(header);
            foreach (var (at, value) in changes)
            {
                bytes[at] = value;
            }

            if (!FrameHeader.TryParse(bytes, FrameLimits.Default, out var read, out var error))
            {
                error.ShouldNotBeNullOrEmpty();
                return;
            }

            Written(read).ShouldBe(bytes);
            (read.Shape.Length * 4L).ShouldBe(read.PayloadBytes);
            read.PayloadBytes.ShouldBeLessThanOrEqualTo(FrameLimits.Default.MaxPayloadBytes);
        });

    [Fact]
    public void Random_bytes_are_no_header() => Gen.Byte.Array[0, 80].Sample(bytes =>
        FrameHeader.TryParse(bytes, FrameLimits.Default, out _, out _).ShouldBeFalse());

    [Theory]
    [InlineData(4, 0xFFFFFFFF)] // payload
    [InlineData(4, 0x7FFFFFFC)]
    [InlineData(24, 0u)] // generation
    [InlineData(24, 0x80000000)]
    [InlineData(44, 0xFFFFFFFF)] // axes
    [InlineData(48, 0x7FFFFFFF)]
    [InlineData(56, 1u)]
    [InlineData(32, 1u << 20)] // edge
    public void A_field_out_of_range_is_refused(int at, uint value)
    {
        using var tensor = Tensor.Rent(_pool, new Shape(2, 3));
        var bytes = Written(
            new FrameHeader { Generation = 1, Kind = FrameKind.Delta }.Describing(tensor));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);
        FrameHeader.TryParse(bytes, FrameLimits.Default, out _, out var error).ShouldBeFalse();
        error.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void A_shape_whose_product_overflows_is_refused_though_an_axis_is_zero()
    {
        using var tensor = Tensor.Rent(_pool, new Shape(1, 1, 0));
        var bytes = Written(new FrameHeader { Generation = 1, Kind = FrameKind.Delta }.Describing(tensor));
        bytes.AsSpan(44, 8).Fill(0x7F);
        FrameHeader.TryParse(bytes, FrameLimits.Default, out _, out _).ShouldBeFalse();
    }

    [Fact]
    public void Axes_behind_the_fourth_are_joined()
    {
        using var tensor = Tensor.Rent(_pool, new Shape(2, 3, 4, 5, 6));
        new FrameHeader { Generation = 1 }.Describing(tensor).Shape.ShouldBe(new Shape(2, 3, 4, 30));
    }

    private static byte[] Written(FrameHeader header)
    {
        var bytes = new byte[FrameHeader.Bytes];
        header.Write(bytes);
        return bytes;
    }
}
