namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// Lends the memory of tensors and takes it back, so that a training step allocates nothing that grows with the model.
/// Safe for any number of threads. What is out is counted: after a job nothing may be.
/// </summary>
public sealed class TensorPool
{
    /// <summary>How many floats the largest tensor may have: the last size class whose bytes an array can hold.</summary>
    public const int LargestFloats = 7 << 26;

    private const int SmallestClassBytes = 256;

    // Four classes to each doubling: at most a fifth of a buffer is waste.
    private const int ClassesPerDoubling = 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<int, Stack<TensorBuffer>> _free = [];
    private long _outstanding;
    private long _leaked;
    private long _allocatedBytes;

    /// <summary>Buffers that are lent out now.</summary>
    public long Outstanding => Interlocked.Read(ref _outstanding);

    /// <summary>
    /// Tensors that were collected as garbage without having been disposed. Counted in debug builds only; anything but
    /// zero is a defect in whoever owned them.
    /// </summary>
    public long Leaked => Interlocked.Read(ref _leaked);

    /// <summary>Bytes that this pool has taken from the runtime so far, lent or free.</summary>
    public long AllocatedBytes => Interlocked.Read(ref _allocatedBytes);

    /// <summary>Lends a buffer with room for some bytes. Its content is unspecified (in debug builds: NaN).</summary>
    internal TensorBuffer Rent(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        var capacity = ClassOf(bytes);
        TensorBuffer? buffer = null;
        lock (_lock)
        {
            if (_free.TryGetValue(capacity, out var stack))
            {
                stack.TryPop(out buffer);
            }
        }

        if (buffer is null)
        {
            buffer = new TensorBuffer(this, capacity);
            Interlocked.Add(ref _allocatedBytes, capacity);
        }

        buffer.Lend();
        Interlocked.Increment(ref _outstanding);
        return buffer;
    }

    internal unsafe void TakeBack(TensorBuffer buffer)
    {
#if DEBUG
        // A NaN in every place: whoever reads after the return finds out at once.
        new Span<byte>(buffer.Payload, buffer.CapacityBytes).Fill(0xFF);
#endif
        lock (_lock)
        {
            if (!_free.TryGetValue(buffer.CapacityBytes, out var stack))
            {
                _free.Add(buffer.CapacityBytes, stack = new Stack<TensorBuffer>());
            }

            stack.Push(buffer);
        }

        Interlocked.Decrement(ref _outstanding);
    }

    internal void CountLeak() => Interlocked.Increment(ref _leaked);

    private static int ClassOf(int bytes)
    {
        if (bytes <= SmallestClassBytes)
        {
            return SmallestClassBytes;
        }

        // The power of two at or below bytes − 1, cut into equal quarters.
        var step = (1 << (31 - int.LeadingZeroCount(bytes - 1))) / ClassesPerDoubling;
        return checked((int)(((long)bytes + step - 1) / step * step));
    }
}
