using System.Runtime.CompilerServices;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Data;

/// <summary>
/// The order of the training examples in each epoch: a permutation keyed by (seed, epoch), the same on every machine, or
/// the order of the file.
/// </summary>
/// <param name="seed">The job's seed.</param>
/// <param name="examples">Examples of the training set, ≥ 1.</param>
/// <param name="shuffle">False keeps the order of the file.</param>
public sealed class EpochOrder(long seed, int examples, bool shuffle)
{
    // A multiple of a block of four words, small enough for the stack.
    private const int ChunkWords = 256;

    /// <summary>How many examples an order has.</summary>
    public int Examples => examples;

    /// <summary>
    /// Writes the order of one epoch: for i from the last place down to 1, place i is swapped with a place drawn from
    /// 0 … i (Fisher and Yates, as in Durstenfeld 1964; the draw is Lemire's product 2019, without rejection).
    /// </summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="order"><see cref="Examples"/> places; place k becomes the index of the epoch's k-th example.</param>
    /// <exception cref="ArgumentException"><paramref name="order"/> has another length.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(long epoch, Span<int> order)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        if (order.Length != examples)
        {
            throw new ArgumentException($"The order of {examples} examples has not {order.Length} places.", nameof(order));
        }

        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        if (!shuffle)
        {
            return;
        }

        var stream = new Philox(seed, "shuffle", "");
        Span<uint> words = stackalloc uint[ChunkWords];
        var first = order.Length;
        for (var i = order.Length - 1; i >= 1; i--)
        {
            if (i < first)
            {
                first = i - (i % ChunkWords);
                stream.FillWords(words, first, position: 0, step: epoch);
            }

            var j = (int)(((ulong)words[i - first] * (ulong)(i + 1)) >> 32);
            (order[i], order[j]) = (order[j], order[i]);
        }
    }

    /// <summary>The order of one epoch in an array of its own.</summary>
    /// <inheritdoc cref="Fill"/>
    public int[] Of(long epoch)
    {
        var order = new int[examples];
        Fill(epoch, order);
        return order;
    }
}
