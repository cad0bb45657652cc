using CsCheck;
using DistributedBackprop.Training.Data;

namespace DistributedBackprop.Training.Tests.Data;

public class IdxFuzzTests
{
    private static readonly byte[][] _seeds =
    [
        IdxBytes.Of(0x08, [2, 2, 3], 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
        IdxBytes.Floats([2, 2], 1, 2, 3, 4),
        IdxBytes.Of(0x08, [2], 1, 0),
        IdxBytes.Integers([2], 1, 0),
    ];

    private static readonly byte[][] _allSeeds = [.. _seeds, .. _seeds.Select(IdxBytes.Gzip)];

    private static readonly byte[] _interesting = [0, 1, 2, 3, 8, 9, 0x0c, 0x0d, 0x1f, 0x7f, 0x80, 0x8b, 0xff];

    private static readonly Gen<byte[]> _mutated =
        from seed in Gen.OneOf(_allSeeds)
        from length in Gen.Frequency((3, Gen.Const(seed.Length)), (1, Gen.Int[0, seed.Length]))
        from changes in Gen.Select(Gen.Int[0, seed.Length - 1], Gen.Frequency((2, Gen.OneOf(_interesting)), (1, Gen.Byte))).Array[0, 4]
        from tail in Gen.Frequency((4, Gen.Const(Array.Empty<byte>())), (1, Gen.Byte.Array[1, 20]))
        select Mutate(seed, length, changes, tail);

    [Fact]
    public void Whatever_comes_only_data_exceptions_leave_and_memory_stays_small() =>
        Gen.Select(_mutated, _mutated).Sample(
            (features, labels) =>
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    var examples = IdxReader.Read(new MemoryStream(features), "features", new MemoryStream(labels), "labels", 3);
                    examples.Labels.ToArray().ShouldAllBe(label => label >= 0 && label < 3);
                }
                catch (DataException)
                {
                }

                (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1_000_000);
            },
            iter: 20_000);

    private static byte[] Mutate(byte[] seed, int length, (int At, byte Value)[] changes, byte[] tail)
    {
        var bytes = (byte[])seed.Clone();
        foreach (var (at, value) in changes)
        {
            bytes[at] = value;
        }

        return [.. bytes[..length], .. tail];
    }
}
