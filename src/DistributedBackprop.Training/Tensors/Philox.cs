using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using System.Text;

namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// Random numbers without a state: each is a function of a key and of where it is used, so whoever computes an element,
/// in whatever order, gets the same number. Philox4x32-10 (J. Salmon, M. Moraes, R. Dror, D. Shaw, Parallel Random
/// Numbers: As Easy as 1, 2, 3, SC 2011).
/// <para>
/// The key is the first 8 bytes, little-endian, of SHA-256 of the UTF-8 text "{seed}/{purpose}/{name}". The counter is
/// (index, position, low half of step, high half of step): one block of four words.
/// </para>
/// </summary>
public readonly struct Philox : IEquatable<Philox>
{
    /// <summary>Elements of the word stream lie below this: four to a block, and blocks are counted in 32 bits.</summary>
    public const long ElementsMax = 1L << 34;

    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>Blocks that the vector code computes at once, and the words in them.</summary>
    private const int VectorBlocks = 4;
    private const int VectorWords = 4 * VectorBlocks;

    private readonly uint _key0;
    private readonly uint _key1;

    /// <summary>The numbers of one job, for one purpose, of one layer or parameter.</summary>
    /// <param name="seed">The job's seed.</param>
    /// <param name="purpose">"initialize", "dropout", "shuffle" …</param>
    /// <param name="name">Whose numbers: "dense1.weight", or empty.</param>
    public Philox(long seed, string purpose, string name)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        ArgumentNullException.ThrowIfNull(name);
        var text = string.Create(CultureInfo.InvariantCulture, $"{seed}/{purpose}/{name}");
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        _key0 = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(hash);
        _key1 = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(hash[4..]);
    }

    /// <summary>The generator of a given key.</summary>
    internal Philox(uint key0, uint key1)
    {
        _key0 = key0;
        _key1 = key1;
    }

    /// <summary>The four words of one counter.</summary>
    public (uint Word0, uint Word1, uint Word2, uint Word3) Block(uint index, uint position, long step) =>
        Block(index, position, (uint)step, (uint)(step >> 32));

    /// <summary>Word element &amp; 3 of block element &gt;&gt; 2.</summary>
    /// <param name="element">0 … <see cref="ElementsMax"/>−1.</param>
    /// <param name="position">Position in the step's batch, 0 where there is none.</param>
    /// <param name="step">The step, 0 where there is none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The element is outside its range.</exception>
    public uint Word(long element, uint position, long step)
    {
        RequireElements(element, 1);
        var (w0, w1, w2, w3) = Block((uint)(element >> 2), position, step);
        return (element & 3) switch
        {
            0 => w0,
            1 => w1,
            2 => w2,
            _ => w3,
        };
    }

    /// <summary>The uniform number of one word in [0, 1), a multiple of 2⁻²⁴: (word &gt;&gt; 8)·2⁻²⁴, exact.</summary>
    public static float ToUniform(uint word) => (word >> 8) * 5.9604644775390625e-8f;

    /// <summary>The element's uniform number in [0, 1).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The element is outside its range.</exception>
    public float Uniform(long element, uint position, long step) => ToUniform(Word(element, position, step));

    /// <summary>
    /// A number of the standard normal distribution: √(−2·ln u₁)·cos(2π·u₂) with u₁ = (w₀ + 1)·2⁻³², u₂ = w₁·2⁻³² of the
    /// block with that index (G. Box, M. Muller, 1958).
    /// </summary>
    public double Normal(uint index, uint position, long step)
    {
        const double Unit = 2.3283064365386963e-10; // 2⁻³²
        var (w0, w1, _, _) = Block(index, position, step);
        var u1 = (w0 + 1.0) * Unit;
        var u2 = w1 * Unit;
        return Math.Sqrt(-2 * ElementaryDouble.Log(u1)) * ElementaryDouble.Cos(2 * Math.PI * u2);
    }

    /// <summary>The words of elements first, first + 1, ….</summary>
    /// <param name="destination">Where they go.</param>
    /// <param name="first">The first element, ≥ 0.</param>
    /// <param name="position">Position in the step's batch, 0 where there is none.</param>
    /// <param name="step">The step, 0 where there is none.</param>
    /// <exception cref="ArgumentOutOfRangeException">An element is outside its range.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void FillWords(Span<uint> destination, long first, uint position, long step)
    {
        RequireElements(first, destination.Length);
        var i = 0;
        for (; i < destination.Length && ((first + i) & 3) != 0; i++)
        {
            destination[i] = Word(first + i, position, step);
        }

        for (; Avx2.IsSupported && i <= destination.Length - VectorWords; i += VectorWords)
        {
            StoreBlocks((uint)((first + i) >> 2), position, step, destination.Slice(i, VectorWords));
        }

        for (; i <= destination.Length - 4; i += 4)
        {
            (destination[i], destination[i + 1], destination[i + 2], destination[i + 3]) =
                Block((uint)((first + i) >> 2), position, step);
        }

        for (; i < destination.Length; i++)
        {
            destination[i] = Word(first + i, position, step);
        }
    }

    /// <summary>The uniform numbers in [0, 1) of elements first, first + 1, ….</summary>
    /// <param name="destination">Where they go.</param>
    /// <param name="first">The first element, ≥ 0.</param>
    /// <param name="position">Position in the step's batch, 0 where there is none.</param>
    /// <param name="step">The step, 0 where there is none.</param>
    /// <exception cref="ArgumentOutOfRangeException">An element is outside its range.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void FillUniform(Span<float> destination, long first, uint position, long step)
    {
        var words = System.Runtime.InteropServices.MemoryMarshal.Cast<float, uint>(destination);
        FillWords(words, first, position, step);
        var i = 0;
        for (; i <= words.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            // 24 bits are an int32, and a float32, without rounding.
            var bits = (Vector256.Create<uint>(words.Slice(i, Vector256<uint>.Count)) >>> 8).AsInt32();
            (Vector256.ConvertToSingle(bits) * 5.9604644775390625e-8f).CopyTo(destination[i..]);
        }

        for (; i < words.Length; i++)
        {
            destination[i] = ToUniform(words[i]);
        }
    }

    /// <summary>Whether both have the same key, so the same numbers.</summary>
    public bool Equals(Philox other) => _key0 == other._key0 && _key1 == other._key1;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Philox other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_key0, _key1);

    /// <summary>Whether both have the same key.</summary>
    public static bool operator ==(Philox left, Philox right) => left.Equals(right);

    /// <summary>Whether the keys differ.</summary>
    public static bool operator !=(Philox left, Philox right) => !left.Equals(right);

    internal (uint Word0, uint Word1, uint Word2, uint Word3) Block(uint c0, uint c1, uint c2, uint c3)
    {
        var (k0, k1) = (_key0, _key1);
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = (ulong)Multiplier0 * c0;
            var product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = (
                (uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>Four consecutive blocks at once, one a lane of 64 bits whose upper half may hold rubbish meanwhile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void StoreBlocks(uint index, uint position, long step, Span<uint> words)
    {
        var c0 = Vector256.Create((ulong)index) + Vector256.Create(0UL, 1, 2, 3);
        var c1 = Vector256.Create((ulong)position);
        var c2 = Vector256.Create((ulong)(uint)step);
        var c3 = Vector256.Create((ulong)(uint)(step >> 32));
        var (k0, k1) = (_key0, _key1);
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = Avx2.Multiply(c0.AsUInt32(), Vector256.Create(Multiplier0));
            var product1 = Avx2.Multiply(c2.AsUInt32(), Vector256.Create(Multiplier1));
            c0 = (product1 >>> 32) ^ c1 ^ Vector256.Create((ulong)k0);
            c1 = product1;
            c2 = (product0 >>> 32) ^ c3 ^ Vector256.Create((ulong)k1);
            c3 = product0;
            k0 += Weyl0;
            k1 += Weyl1;
        }

        var low = Vector256.Create((ulong)uint.MaxValue);
        var words01 = (c0 & low) | (c1 << 32);
        var words23 = (c2 & low) | (c3 << 32);
        var blocks02 = Avx2.UnpackLow(words01, words23);
        var blocks13 = Avx2.UnpackHigh(words01, words23);
        Avx2.Permute2x128(blocks02, blocks13, 0x20).AsUInt32().CopyTo(words);
        Avx2.Permute2x128(blocks02, blocks13, 0x31).AsUInt32().CopyTo(words[8..]);
    }

    private static void RequireElements(long first, int count)
    {
        if (first < 0 || first > ElementsMax - count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(first), first, $"{count} elements must lie from 0 to below {ElementsMax}.");
        }
    }
}
