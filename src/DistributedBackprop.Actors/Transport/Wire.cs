using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Transport;

/// <summary>The bytes of an outgoing connection. One may write while another reads. Disposing ends both.</summary>
internal abstract class Wire(Socket socket) : IDisposable
{
    protected Socket Socket { get; } = socket;

    /// <summary>Reads what there is, at least one byte; 0: the other end has closed.</summary>
    public abstract ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellation);

    /// <summary>Sends some bytes.</summary>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation);

    /// <summary>Sends a frame whole.</summary>
    public abstract ValueTask SendAsync(FrameHeader header, Tensor tensor);

    /// <summary>Whether both ends are on one machine, and nobody asked for TLS.</summary>
    public virtual bool IsWithinMachine => false;

    public virtual void Dispose() => Socket.Dispose();
}

/// <summary>A socket as it is: a frame leaves in one send.</summary>
internal sealed class PlainWire(Socket socket) : Wire(socket)
{
    private readonly byte[] _header = GC.AllocateUninitializedArray<byte>(FrameHeader.Bytes, pinned: true);

    public override ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellation) =>
        Socket.ReceiveAsync(target, SocketFlags.None, cancellation);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await Socket.SendAsync(bytes, SocketFlags.None, cancellation).ConfigureAwait(false)..];
        }
    }

    // By another address of this machine a caller wants its network.
    public override bool IsWithinMachine =>
        Socket.RemoteEndPoint is IPEndPoint { Address: var address } && IPAddress.IsLoopback(address);

    public override async ValueTask SendAsync(FrameHeader header, Tensor tensor)
    {
        // The headroom belongs to all owners of the memory: only the sole one may write there. Another link may be
        // sending the same tensor, then header and payload are gathered by the kernel, still in one send.
        if (tensor.IsSole && tensor.HasHeadroom)
        {
            var frame = tensor.BytesWithHeadroom;
            header.Write(frame.Span);
            await WriteAsync(frame, CancellationToken.None).ConfigureAwait(false);
            return;
        }

        header.Write(_header);
        var payload = tensor.Bytes;
        var sent = await Socket.SendAsync([_header, SegmentOf(payload)], SocketFlags.None).ConfigureAwait(false);
        if (sent < FrameHeader.Bytes)
        {
            await WriteAsync(_header.AsMemory(sent), CancellationToken.None).ConfigureAwait(false);
        }

        await WriteAsync(payload[Math.Max(0, sent - FrameHeader.Bytes)..], CancellationToken.None).ConfigureAwait(false);
    }

    private static ArraySegment<byte> SegmentOf(ReadOnlyMemory<byte> bytes) =>
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(bytes, out var segment)
            ? segment
            : throw new NotSupportedException("Tensors lie in arrays.");
}

/// <summary>A socket under TLS, whose records of 16 KB are gathered before they are sent.</summary>
internal sealed class TlsWire(Socket socket, SslStream stream) : Wire(socket)
{
    private readonly byte[] _header = new byte[FrameHeader.Bytes];

    public override ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellation) =>
        stream.ReadAsync(target, cancellation);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        await stream.WriteAsync(bytes, cancellation).ConfigureAwait(false);
        await stream.FlushAsync(cancellation).ConfigureAwait(false);
    }

    public override async ValueTask SendAsync(FrameHeader header, Tensor tensor)
    {
        header.Write(_header);
        await stream.WriteAsync(_header).ConfigureAwait(false);
        await WriteAsync(tensor.Bytes, CancellationToken.None).ConfigureAwait(false);
    }

    public override void Dispose()
    {
        base.Dispose();
        stream.Dispose();
    }
}
