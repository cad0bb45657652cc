namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// Gathers small writes until it is flushed or has a block of them. A TLS stream writes records of 16 KB, and a send
/// for each costs more than copying them. One writer and one reader at a time.
/// </summary>
internal sealed class CoalescingStream(Stream inner) : Stream
{
    private readonly byte[] _block = new byte[PinnedBlockPool.BlockBytes];
    private int _filled;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("Only asynchronous writes are gathered.");

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var taken = Math.Min(buffer.Length, _block.Length - _filled);
            buffer[..taken].CopyTo(_block.AsMemory(_filled));
            buffer = buffer[taken..];
            _filled += taken;
            if (_filled == _block.Length)
            {
                await FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public override void Flush()
    {
        inner.Write(_block, 0, _filled);
        _filled = 0;
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        var bytes = _block.AsMemory(0, _filled);
        _filled = 0;
        if (!bytes.IsEmpty)
        {
            await inner.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
