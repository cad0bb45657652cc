using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// The memory that Kestrel reads into: pinned blocks of 256 KB (with its own of 4 KB a tensor takes three times as
/// long), at most so many of them. Beyond that come small blocks which the garbage collector takes back: slower, but a
/// thousand callers cannot take a thousand large blocks.
/// </summary>
public sealed class PinnedBlockPool : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockBytes = 256 * 1024;

    private const int SmallBlockBytes = 4096;

    private readonly int _maxBlocks;
    private readonly ConcurrentBag<Block> _free = [];
    private int _blocks;

    /// <summary>Makes a pool without blocks.</summary>
    /// <param name="maxBlocks">The most it takes from the runtime, ≥ 0; it keeps them.</param>
    public PinnedBlockPool(int maxBlocks = 256)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBlocks);
        _maxBlocks = maxBlocks;
    }

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockBytes;

    /// <summary>Blocks that it has taken from the runtime so far.</summary>
    public int Blocks => Math.Min(Volatile.Read(ref _blocks), _maxBlocks);

    /// <summary>One pool for all of Kestrel's threads.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        if (_free.TryTake(out var block))
        {
            block.Lend();
            return block;
        }

        if (Interlocked.Increment(ref _blocks) <= _maxBlocks)
        {
            return new Block(this);
        }

        Interlocked.Decrement(ref _blocks);
        return new SmallBlock(Math.Max(minBufferSize, SmallBlockBytes));
    }

    /// <summary>Does nothing: Kestrel disposes of what the factory made, but others rent from it still.</summary>
    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(PinnedBlockPool pool) : IMemoryOwner<byte>
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);
        private int _lent = 1;

        public Memory<byte> Memory => _bytes;

        public void Lend() => Volatile.Write(ref _lent, 1);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _lent, 0) == 1)
            {
                pool._free.Add(this);
            }
        }
    }

    private sealed class SmallBlock(int bytes) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = new byte[bytes];

        public void Dispose()
        {
        }
    }
}
