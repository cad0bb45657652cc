using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace DistributedBackprop.Simulation;

/// <summary>
/// A stream of random numbers that depends on nothing but a seed and a key (SplitMix64: Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", OOPSLA 2014). Draws for one purpose never shift those for another,
/// because every purpose has its own key.
/// </summary>
public sealed class KeyedGenerator
{
    private const ulong GoldenGamma = 0x9E3779B97F4A7C15UL;
    private ulong _state;

    /// <summary>The stream of <paramref name="seed"/> for the purpose that <paramref name="key"/> names.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="key">Names the purpose, for example <c>order</c> or <c>network/a-b</c>.</param>
    public KeyedGenerator(ulong seed, string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        byte[] digest = SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{seed}/simulation/{key}")));
        _state = BinaryPrimitives.ReadUInt64LittleEndian(digest);
    }

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        _state += GoldenGamma;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>A number of 0 … <paramref name="bound"/> − 1.</summary>
    /// <param name="bound">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bound"/> is below 1.</exception>
    public int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        return (int)Math.BigMul(Next(), (ulong)bound, out _);
    }

    /// <summary>A number of <paramref name="lowest"/> … <paramref name="highest"/>, both included.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="highest"/> is below <paramref name="lowest"/>.</exception>
    public long Between(long lowest, long highest)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(highest, lowest);
        ulong width = (ulong)(highest - lowest) + 1UL;
        return width == 0 ? (long)Next() : lowest + (long)Math.BigMul(Next(), width, out _);
    }

    /// <summary>A duration of <paramref name="shortest"/> … <paramref name="longest"/>, both included, in whole ticks of 100 ns.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="longest"/> is below <paramref name="shortest"/>.</exception>
    public TimeSpan Between(TimeSpan shortest, TimeSpan longest) => TimeSpan.FromTicks(Between(shortest.Ticks, longest.Ticks));

    /// <summary>A multiple of 2⁻⁵³ in [0, 1).</summary>
    public double Fraction() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>True with the given probability.</summary>
    /// <param name="probability">0 (never) … 1 (always).</param>
    public bool Chance(double probability) => Fraction() < probability;
}
