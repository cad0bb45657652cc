using System.Buffers.Binary;
using System.Reflection;
using Akka.Util;

namespace DistributedBackprop.Simulation;

/// <summary>
/// Akka's own source of randomness (actor uids, the jitter of backoff) on this thread. It is private and seeded by the
/// operating system, so only reflection can make it repeat.
/// </summary>
internal static class AkkaRandomness
{
    private static readonly ThreadLocal<Random> _perThread = Find();

    /// <summary>The generator Akka uses on this thread.</summary>
    public static Random OfThisThread
    {
        get => _perThread.Value!;
        set => _perThread.Value = value;
    }

    /// <summary>A generator for Akka that draws from <paramref name="source"/>.</summary>
    public static Random From(KeyedGenerator source) => new KeyedRandom(source);

    private static ThreadLocal<Random> Find()
    {
        FieldInfo? field = typeof(ThreadLocalRandom).GetField("_rng", BindingFlags.NonPublic | BindingFlags.Static);
        return field?.GetValue(null) as ThreadLocal<Random>
            ?? throw new SimulationException(
                $"Akka.Util.ThreadLocalRandom of {typeof(ThreadLocalRandom).Assembly.GetName()} has no ThreadLocal<Random> "
                + "named _rng any more: find what replaced it, or actor uids and backoff jitter do not repeat.");
    }

    /// <summary>Every overload leads to the keyed stream; the seed of the base class is never drawn from.</summary>
    private sealed class KeyedRandom(KeyedGenerator source) : Random(0)
    {
        public override int Next() => (int)source.Between(0, int.MaxValue - 1);

        public override int Next(int maxValue) => maxValue == 0 ? 0 : source.Below(maxValue);

        public override int Next(int minValue, int maxValue) =>
            minValue == maxValue ? minValue : (int)source.Between(minValue, maxValue - 1L);

        public override long NextInt64() => source.Between(0, long.MaxValue - 1);

        public override long NextInt64(long maxValue) => maxValue == 0 ? 0 : source.Between(0, maxValue - 1);

        public override long NextInt64(long minValue, long maxValue) =>
            minValue == maxValue ? minValue : source.Between(minValue, maxValue - 1);

        public override double NextDouble() => source.Fraction();

        public override float NextSingle() => (source.Next() >> 40) * (1f / (1 << 24));

        public override void NextBytes(byte[] buffer) => NextBytes(buffer.AsSpan());

        public override void NextBytes(Span<byte> buffer)
        {
            Span<byte> word = stackalloc byte[sizeof(ulong)];
            while (!buffer.IsEmpty)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(word, source.Next());
                int taken = Math.Min(buffer.Length, word.Length);
                word[..taken].CopyTo(buffer);
                buffer = buffer[taken..];
            }
        }

        protected override double Sample() => source.Fraction();
    }
}
