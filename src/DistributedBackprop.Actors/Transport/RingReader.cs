namespace DistributedBackprop.Actors.Transport;

/// <summary>Reads the frames of one connection from the ring that was agreed on, on a thread of its own.</summary>
internal sealed class RingReader
{
    // So much at a time: the writer has room again while the rest is read.
    private const int Slice = 256 << 10;

    // Only against a wake that was lost to a process in distress.
    private static readonly TimeSpan _longestSleep = TimeSpan.FromSeconds(1);

    private readonly SharedRing _ring;
    private readonly FrameReader _reader;
    private readonly Action _onRead;
    private readonly TaskCompletionSource<string?> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isFinishing;

    /// <summary>Starts reading.</summary>
    /// <param name="ring">Borrowed until <see cref="End"/>.</param>
    /// <param name="reader">Makes tensors of the bytes; borrowed likewise.</param>
    /// <param name="onRead">Called after some bytes have been read.</param>
    public RingReader(SharedRing ring, FrameReader reader, Action onRead)
    {
        (_ring, _reader, _onRead) = (ring, reader, onRead);
        new Thread(Run) { IsBackground = true, Name = "backprop.ring-in" }.Start();
    }

    /// <summary>Completes once nothing more is read, with what was wrong; null where nothing was.</summary>
    public Task<string?> End => _end.Task;

    /// <summary>The connection has ended: what was written before is read, and no more.</summary>
    public void Finish()
    {
        _isFinishing = true;
        if (!End.IsCompleted)
        {
            _ring.Wake();
        }
    }

    private void Run()
    {
        try
        {
            _end.SetResult(Read());
        }
        catch (InvalidDataException damaged)
        {
            _end.SetResult(damaged.Message);
        }
        catch (Exception unknown)
        {
            _end.SetException(unknown);
        }
    }

    private string? Read()
    {
        while (true)
        {
            // Asked first: what is there after the end was there before it.
            var isFinishing = _isFinishing;
            var bytes = _ring.Peek();
            if (bytes.IsEmpty)
            {
                if (isFinishing)
                {
                    return null;
                }

                _ring.AwaitBytes(_longestSleep);
                continue;
            }

            bytes = bytes[..Math.Min(bytes.Length, Slice)];
            if (_reader.Read(bytes) is { } error)
            {
                return error;
            }

            _ring.Consume(bytes.Length);
            _onRead();
        }
    }
}
