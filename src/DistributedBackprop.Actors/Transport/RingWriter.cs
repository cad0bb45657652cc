using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// Writes frames to the ring that was agreed on. A frame for which there is room is written by whoever sends it, without
/// another thread; one for which there is none is written bit by bit, as the reader makes room.
/// </summary>
/// <param name="ring">Owned until disposed.</param>
internal sealed class RingWriter(SharedRing ring) : IDisposable
{
    // Only against a wake that was lost to a process in distress, and to see that the link has ended.
    private static readonly TimeSpan _longestSleep = TimeSpan.FromMilliseconds(50);

    private readonly byte[] _header = new byte[FrameHeader.Bytes];

    /// <summary>Writes a frame if there is room for all of it. One caller at a time, as for all methods.</summary>
    public bool TryWrite(in FrameHeader header, Tensor tensor)
    {
        if (ring.Free < FrameHeader.Bytes + (long)header.PayloadBytes)
        {
            return false;
        }

        header.Write(_header);
        ring.Write(_header);
        ring.Write(tensor.Bytes.Span);
        ring.Publish();
        return true;
    }

    /// <summary>Writes a frame, waiting for room.</summary>
    /// <param name="header">Its name.</param>
    /// <param name="tensor">Its payload; borrowed.</param>
    /// <param name="cancellation">Ends the wait: what was written until then is no frame.</param>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    /// <exception cref="IOException">The memory is damaged.</exception>
    public void Write(in FrameHeader header, Tensor tensor, CancellationToken cancellation)
    {
        header.Write(_header);
        Write(_header, cancellation);
        Write(tensor.Bytes.Span, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose() => ring.Dispose();

    private void Write(ReadOnlySpan<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
        {
            cancellation.ThrowIfCancellationRequested();
            var free = ring.Free;
            if (free < 0)
            {
                throw new IOException("The memory that was shared for frames is damaged.");
            }

            if (free == 0)
            {
                ring.AwaitRoom(_longestSleep);
                continue;
            }

            var part = bytes[..(int)Math.Min(free, bytes.Length)];
            ring.Write(part);
            ring.Publish();
            bytes = bytes[part.Length..];
        }
    }
}
