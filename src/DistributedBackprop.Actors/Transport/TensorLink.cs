using System.Net;
using System.Net.Sockets;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// A link over a connection of its own: one loop writes frames that have a place, another reads grants. Whichever ends
/// first ends the link: the reading one learns of a dead peer at once, even while nothing is sent.
/// </summary>
internal sealed class TensorLink : ITensorLink, IDeadline
{
    private readonly TensorPlane _plane;
    private readonly ILinkObserver _observer;
    private readonly Lock _lock = new();
    private readonly OutgoingFlows _flows = new(PlaneSettings.MaxPlacesPerFlow);
    private readonly SemaphoreSlim _waiting = new(0);
    private readonly CancellationTokenSource _end = new();
    private readonly long[] _bytesSent = new long[Flows.Count];

    // Whoever opened the link wants to know of its first places.
    private readonly bool[] _wanted = [.. Enumerable.Repeat(true, Flows.Count)];
    private RingWriter? _ring;
    private bool _isWriting;
    private bool _hasEnded;
    private bool _isBroken;
    private long _sendingSince;

    public TensorLink(TensorPlane plane, DnsEndPoint peer, ILinkObserver observer)
    {
        _plane = plane;
        Peer = peer;
        _observer = observer;
    }

    public DnsEndPoint Peer { get; }

    public void Start() => _ = RunAsync();

    public bool TrySend(in FrameHeader header, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var described = header.Describing(tensor);
        lock (_lock)
        {
            if (_hasEnded || !_flows.TryAdd(described, tensor))
            {
                _wanted[(int)described.Flow] = true;
                return false;
            }

            // Nothing is before it: whoever sends can write it at once.
            if (_ring is { } ring && !_isWriting && _flows.Waiting == 1 && ring.TryWrite(described, tensor)
                && _flows.TryTake(out _))
            {
                Interlocked.Add(ref _bytesSent[(int)described.Flow], described.PayloadBytes);
                tensor.Dispose();
                return true;
            }
        }

        _waiting.Release();
        return true;
    }

    /// <summary>Frames that have a place and wait to leave.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _flows.Waiting;
            }
        }
    }

    public long BytesSent(Flow flow) => Interlocked.Read(ref _bytesSent[(int)flow]);

    public void Dispose()
    {
        lock (_lock)
        {
            _hasEnded = true;
        }

        _end.Cancel();
    }

    bool IDeadline.IsOverdue(TimeProvider time) =>
        Interlocked.Read(ref _sendingSince) is var since and not 0
        && time.GetElapsedTime(since) > _plane.Settings.FrameDeadline;

    void IDeadline.Expire() => Break($"{Peer.Host}:{Peer.Port} did not take a frame within {_plane.Settings.FrameDeadline}.");

    private async Task RunAsync()
    {
        // Away from the thread of the actor that opens the link.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var opening = await LinkOpening.TryAsync(
                _plane, Peer, isProbe: false, _plane.Settings.ConnectDeadline, _end.Token)
            .ConfigureAwait(false);
        if (opening.Wire is { } wire)
        {
            await UseAsync(wire, opening.Ring).ConfigureAwait(false);
        }
        else
        {
            Break(opening.Reason);
        }

        lock (_lock)
        {
            _flows.Dispose();
        }

        _plane.Links.Remove(this);
        _observer.OnReleased(this);
        if (!_isBroken)
        {
            return;
        }

        var outcome = opening.Wire is null
            ? opening.Outcome
            : await LinkOpening.ProbeAsync(_plane, Peer).ConfigureAwait(false);
        _observer.OnProbed(this, outcome);
    }

    private async Task UseAsync(Wire wire, SharedRing? shared)
    {
        using var ring = shared is null ? null : new RingWriter(shared);
        lock (_lock)
        {
            _ring = ring;
        }

        _plane.Deadlines.Add(this);
        await using var closing = _end.Token.Register(wire.Dispose).ConfigureAwait(false);
        var reading = ReadGrantsAsync(wire);
        var writing = ring is null ? WriteFramesAsync(wire) : WriteFramesOnThread(ring);
        await Task.WhenAll(reading, writing).ConfigureAwait(false);
        _plane.Deadlines.Remove(this);
        wire.Dispose();
        lock (_lock)
        {
            _ring = null;
        }
    }

    private async Task ReadGrantsAsync(Wire wire)
    {
        var bytes = new byte[PlaceGrant.Bytes * 64];
        var filled = 0;
        try
        {
            while (await wire.ReadAsync(bytes.AsMemory(filled), _end.Token).ConfigureAwait(false) is var count and > 0)
            {
                filled += count;
                var read = 0;
                for (; filled - read >= PlaceGrant.Bytes; read += PlaceGrant.Bytes)
                {
                    if (!PlaceGrant.TryParse(bytes.AsSpan(read), out var grant) || !TryGrant(grant))
                    {
                        Break($"{Peer.Host}:{Peer.Port} granted places in a way that nodes do not.");
                        return;
                    }
                }

                bytes.AsSpan(read, filled - read).CopyTo(bytes);
                filled -= read;
            }

            Break($"{Peer.Host}:{Peer.Port} has closed the connection.");
        }
        catch (Exception broken) when (IsOfConnection(broken))
        {
            Break($"The connection to {Peer.Host}:{Peer.Port} is broken: {broken.Message}");
        }
    }

    private bool TryGrant(PlaceGrant grant)
    {
        bool isWanted;
        lock (_lock)
        {
            if (!_flows.TryGrant(grant))
            {
                return false;
            }

            isWanted = _wanted[(int)grant.Flow] && !_hasEnded;
            _wanted[(int)grant.Flow] = false;
        }

        if (isWanted)
        {
            _observer.OnPlaces(this, grant.Flow);
        }

        return true;
    }

    private async Task WriteFramesAsync(Wire wire)
    {
        try
        {
            while (true)
            {
                await _waiting.WaitAsync(_end.Token).ConfigureAwait(false);
                OutgoingFrame? frame;
                lock (_lock)
                {
                    if (_hasEnded || !_flows.TryTake(out frame))
                    {
                        return;
                    }
                }

                await SendAsync(wire, frame).ConfigureAwait(false);
            }
        }
        catch (Exception broken) when (IsOfConnection(broken))
        {
            Break($"The connection to {Peer.Host}:{Peer.Port} is broken: {broken.Message}");
        }
    }

    // What waits for room in the ring waits on a thread of its own.
    private Task WriteFramesOnThread(RingWriter ring)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                WriteFrames(ring);
            }
            catch (Exception broken) when (IsOfConnection(broken))
            {
                Break($"The connection to {Peer.Host}:{Peer.Port} is broken: {broken.Message}");
            }
            finally
            {
                end.SetResult();
            }
        })
        { IsBackground = true, Name = "backprop.ring-out" }.Start();
        return end.Task;
    }

    private void WriteFrames(RingWriter ring)
    {
        while (true)
        {
            _waiting.Wait(_end.Token);
            OutgoingFrame? frame;
            lock (_lock)
            {
                if (_hasEnded || !_flows.TryTake(out frame))
                {
                    return;
                }

                _isWriting = true;
            }

            using (frame.Tensor)
            {
                Interlocked.Exchange(ref _sendingSince, _plane.Settings.Time.GetTimestamp());
                ring.Write(frame.Header, frame.Tensor, _end.Token);
                Interlocked.Add(ref _bytesSent[(int)frame.Header.Flow], frame.Header.PayloadBytes);
            }

            Interlocked.Exchange(ref _sendingSince, 0);
            lock (_lock)
            {
                _isWriting = false;
            }
        }
    }

    private async Task SendAsync(Wire wire, OutgoingFrame frame)
    {
        try
        {
            Interlocked.Exchange(ref _sendingSince, _plane.Settings.Time.GetTimestamp());
            await wire.SendAsync(frame.Header, frame.Tensor).ConfigureAwait(false);
            Interlocked.Add(ref _bytesSent[(int)frame.Header.Flow], frame.Header.PayloadBytes);
        }
        finally
        {
            Interlocked.Exchange(ref _sendingSince, 0);
            frame.Tensor.Dispose();
        }
    }

    private void Break(string reason)
    {
        lock (_lock)
        {
            if (_hasEnded)
            {
                return;
            }

            _hasEnded = true;
            _isBroken = true;
        }

        _observer.OnBroken(this, reason);
        _end.Cancel();
    }

    private static bool IsOfConnection(Exception exception) =>
        exception is SocketException or IOException or ObjectDisposedException or OperationCanceledException
            or InvalidOperationException or OverflowException;
}
