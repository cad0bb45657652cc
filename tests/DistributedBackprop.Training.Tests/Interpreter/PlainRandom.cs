using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// Random numbers that depend on nothing but where they are used: Philox4x32-10 (Salmon et al., "Parallel random numbers:
/// as easy as 1, 2, 3", 2011), keyed by seed, purpose and name.
/// </summary>
public sealed class PlainRandom
{
    private readonly uint _key0;
    private readonly uint _key1;

    /// <summary>Keys a source of random numbers.</summary>
    public PlainRandom(long seed, string purpose, string name)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{seed}/{purpose}/{name}");
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(text));
        _key0 = BinaryPrimitives.ReadUInt32LittleEndian(hash);
        _key1 = BinaryPrimitives.ReadUInt32LittleEndian(hash.AsSpan(4));
    }

    /// <summary>Word of a stream: four words to a block.</summary>
    public uint Word(long element, int position, long step) =>
        Block((uint)(element >> 2), position, step)[element & 3];

    /// <summary>A multiple of 2⁻²⁴ in [0, 1).</summary>
    public float Uniform(long element, int position, long step) => (Word(element, position, step) >> 8) * (1f / (1 << 24));

    /// <summary>From N(0, 1) by Box and Muller (1958), the cosine half only: a block to each element.</summary>
    public double Normal(long element)
    {
        const double Unit = 1.0 / 4294967296.0;
        var words = Block((uint)element, 0, 0);
        var u1 = (words[0] + 1.0) * Unit;
        var u2 = words[1] * Unit;
        return Math.Sqrt(-2 * PlainMath.Log(u1)) * PlainMath.Cos(2 * Math.PI * u2);
    }

    /// <summary>One block of ten rounds.</summary>
    /// <param name="counter">Four words.</param>
    /// <param name="key0">First word of the key.</param>
    /// <param name="key1">Second word of the key.</param>
    public static uint[] Philox(ReadOnlySpan<uint> counter, uint key0, uint key1)
    {
        var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3]);
        for (var round = 0; round < 10; round++)
        {
            var product0 = 0xD2511F53UL * c0;
            var product1 = 0xCD9E8D57UL * c2;
            (c0, c1, c2, c3) = (
                (uint)(product1 >> 32) ^ c1 ^ key0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ key1, (uint)product0);
            key0 = unchecked(key0 + 0x9E3779B9);
            key1 = unchecked(key1 + 0xBB67AE85);
        }

        return [c0, c1, c2, c3];
    }

    private uint[] Block(uint index, int position, long step) =>
        Philox([index, (uint)position, (uint)step, (uint)(step >> 32)], _key0, _key1);
}
