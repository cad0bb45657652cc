using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// What the tensor plane is compared with: two threads and a loopback connection, each with one buffer that it uses
/// again and again; a header of 64 bytes and the payload leave in one blocking send, and arrive in place.
/// </summary>
internal sealed class PlainSocketPair : IDisposable
{
    private const int HeaderBytes = 64;

    private readonly Socket _sender;
    private readonly Socket _receiver;
    private readonly byte[] _source;
    private readonly byte[] _target;

    public PlainSocketPair(int payloadBytes)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _sender = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _sender.Connect(listener.LocalEndpoint);
        _receiver = listener.AcceptSocket();
        _source = GC.AllocateArray<byte>(HeaderBytes + payloadBytes, pinned: true);
        _target = GC.AllocateArray<byte>(HeaderBytes + payloadBytes, pinned: true);
    }

    /// <summary>Sends some frames.</summary>
    /// <returns>Seconds from the first send to the end of the last receive.</returns>
    public double Run(int frames)
    {
        var clock = Stopwatch.StartNew();
        var receiving = new Thread(() => Receive(frames));
        receiving.Start();
        for (var frame = 0; frame < frames; frame++)
        {
            for (var sent = 0; sent < _source.Length;)
            {
                sent += _sender.Send(_source.AsSpan(sent));
            }
        }

        receiving.Join();
        return clock.Elapsed.TotalSeconds;
    }

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    private void Receive(int frames)
    {
        for (var frame = 0; frame < frames; frame++)
        {
            for (var filled = 0; filled < _target.Length;)
            {
                filled += _receiver.Receive(_target.AsSpan(filled));
            }
        }
    }
}
