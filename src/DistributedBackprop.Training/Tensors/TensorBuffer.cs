using System.Runtime.CompilerServices;

namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// Memory that a <see cref="TensorPool"/> lends: pinned for its whole life, its payload aligned to 64 bytes, with
/// <see cref="Headroom"/> bytes before it (a frame header is written there, so that header and payload leave in one
/// send). It counts the tensors that refer to it and goes back to its pool with the last.
/// </summary>
internal sealed unsafe class TensorBuffer
{
    /// <summary>Bytes before the payload that belong to whoever sends it.</summary>
    public const int Headroom = 64;

    /// <summary>The payload starts at a multiple of this many bytes: a cache line, and one 512-bit vector.</summary>
    public const int Alignment = 64;

    private readonly byte[] _array;
    private readonly int _offset;
    private int _references;

    public TensorBuffer(TensorPool pool, int capacityBytes)
    {
        Pool = pool;
        CapacityBytes = capacityBytes;
        _array = GC.AllocateUninitializedArray<byte>(checked(capacityBytes + Headroom + Alignment), pinned: true);
        var start = (nuint)Unsafe.AsPointer(ref _array[0]) + Headroom;
        var aligned = (start + (Alignment - 1)) & ~(nuint)(Alignment - 1);
        _offset = Headroom + (int)(aligned - start);
        Payload = (byte*)aligned;
    }

    /// <summary>Where it came from and goes back to.</summary>
    public TensorPool Pool { get; }

    /// <summary>Bytes of payload that fit.</summary>
    public int CapacityBytes { get; }

    /// <summary>The first byte of the payload; it never moves.</summary>
    public byte* Payload { get; }

    /// <summary>How many tensors refer to it.</summary>
    public int References => Volatile.Read(ref _references);

    /// <summary>Headroom and payload, as a socket takes them.</summary>
    public Memory<byte> WithHeadroom(int payloadBytes) =>
        _array.AsMemory(_offset - Headroom, Headroom + payloadBytes);

    public void Lend() => Volatile.Write(ref _references, 1);

    public void AddReference() => Interlocked.Increment(ref _references);

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            Pool.TakeBack(this);
        }
    }
}
