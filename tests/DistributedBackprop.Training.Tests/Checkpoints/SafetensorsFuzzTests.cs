using System.Text;
using CsCheck;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Training.Tests.Checkpoints;

public class SafetensorsFuzzTests
{
    private static readonly byte[][] _seeds =
    [
        SafetensorsTests.File("""{"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}""", 12),
        SafetensorsTests.File("""{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", 12),
        SafetensorsTests.File("{}      ", 0),
    ];

    private static readonly byte[] _interesting = [.. Encoding.ASCII.GetBytes("0123456789-.e{}[],:\"\\ abF"), 0, 0x7f, 0x80, 0xc3, 0xff];

    private static readonly Gen<byte[]> _mutated =
        from seed in Gen.OneOf(_seeds)
        from length in Gen.Frequency((5, Gen.Const(seed.Length)), (1, Gen.Int[0, seed.Length]))
        from changes in Gen.Select(Gen.Int[0, seed.Length - 1], Gen.Frequency((3, Gen.OneOf(_interesting)), (1, Gen.Byte))).Array[0, 4]
        from tail in Gen.Frequency((5, Gen.Const(Array.Empty<byte>())), (1, Gen.Byte.Array[1, 20]))
        select Mutate(seed, length, changes, tail);

    [Fact]
    public void Whatever_comes_only_safetensors_exceptions_leave_and_memory_stays_small() =>
        _mutated.Sample(
            file =>
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    SafetensorsTests.Read(file).Sum(tensor => (long)tensor.Shape.Length * 4).ShouldBeLessThanOrEqualTo(file.Length);
                }
                catch (SafetensorsException)
                {
                }

                (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1_000_000);
            },
            iter: 30_000);

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
