using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using DistributedBackprop.Training.Tensors;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Actors.Transport;

/// <summary>One connection on which another node sends: hello, then frames in and grants of places out.</summary>
internal sealed class IncomingConnection : IFrameSink, IDeadline
{
    private readonly ConnectionContext _connection;
    private readonly TensorPlane _plane;
    private readonly SemaphoreSlim _grantWanted = new(0, 1);
    private readonly int[] _returned = new int[Flows.Count];
    private readonly int[] _granted = new int[Flows.Count];
    private string _node = "a stranger";
    private PeerConnection? _peer;
    private bool _isViolated;
    private long _frameSince;
    private long _watchedFrame;
    private volatile bool _hasEnded;

    public IncomingConnection(ConnectionContext connection, TensorPlane plane)
    {
        _connection = connection;
        _plane = plane;
    }

    private bool IsHostStopping =>
        _connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested.IsCancellationRequested
        ?? false;

    private bool IsWithinMachine =>
        _plane.Settings.Tls is null
        && _connection.RemoteEndPoint is IPEndPoint { Address: var address } && IPAddress.IsLoopback(address);

    public async Task RunAsync(AdmissionTicket ticket)
    {
        var reason = "The other end has closed it.";
        using var reader = new FrameReader(_plane.Settings.Limits, _plane.Gate, _plane.Pool, this);
        SharedRing? ring = null;
        try
        {
            (var status, var caller, ring) = await Greeting
                .HearAsync(_connection.Transport, _plane.Settings, ticket, IsWithinMachine)
                .ConfigureAwait(false);
            _node = caller?.Node ?? _node;
            if (status != HelloStatus.Accepted)
            {
                reason = $"Its hello was refused: {status}.";
                TellRefusal(status);
            }
            else if (caller!.IsProbe)
            {
                reason = "It has seen that somebody answers.";
            }
            else
            {
                _plane.Deadlines.Add(this);
                _peer = _plane.Watch.Enter(_node);
                var granting = GrantAsync();
                reason = await (ring is null ? ReadAsync(reader) : ReadAsync(reader, ring)).ConfigureAwait(false) ?? reason;
                Leave(reason);
                _connection.Abort();
                await granting.ConfigureAwait(false);
            }
        }
        catch (Exception broken) when (broken is IOException or ConnectionAbortedException or OperationCanceledException)
        {
            reason = broken.Message;
        }
        finally
        {
            Leave(reason);
            _plane.Deadlines.Remove(this);
            ring?.Dispose();
            if (_plane.Log.IsEnabled(LogLevel.Debug))
            {
                _plane.Log.LogDebug("Tensor connection from {Node} has ended: {Reason}", _node, reason);
            }
        }
    }

    bool IFrameSink.TryTakePlace(Flow flow)
    {
        // Counted up before a grant is written: a sender cannot be faster than that.
        if (Volatile.Read(ref _granted[(int)flow]) == 0)
        {
            return false;
        }

        Interlocked.Decrement(ref _granted[(int)flow]);
        GrantWhereFew(flow);
        return true;
    }

    Verdict IFrameSink.Judge(in FrameHeader header, ITensorReceiver receiver) => receiver.Judge(_node, header);

    void IFrameSink.OnFrame(in FrameHeader header, Tensor tensor, ITensorReceiver receiver)
    {
        _plane.Counters.Received(header);
        _peer!.Delivers(header);
        receiver.OnTensor(_node, header, tensor, new Place(this, header.Flow));
    }

    void IFrameSink.OnDropped(in FrameHeader header)
    {
        _plane.Counters.Dropped();
        Return(header.Flow);
    }

    bool IDeadline.IsOverdue(TimeProvider time) =>
        Interlocked.Read(ref _frameSince) is var since and not 0
        && time.GetElapsedTime(since) > _plane.Settings.FrameDeadline;

    void IDeadline.Expire()
    {
        _plane.Log.LogWarning(
            "Tensor connection from {Node}: a frame took longer than {Deadline}", _node, _plane.Settings.FrameDeadline);
        _connection.Abort(new ConnectionAbortedException("A frame took longer than its deadline."));
    }

    // What was sent a thousand times by chance or malice is not worth a line each; a wrong version or secret is a mistake
    // that somebody looks for.
    private void TellRefusal(HelloStatus status)
    {
        if (status != HelloStatus.Malformed)
        {
            _plane.Log.LogWarning(
                "Tensor connection from {Node} ({Address}) is refused: {Status}", _node, _connection.RemoteEndPoint, status);
        }
    }

    private async Task<string?> ReadAsync(FrameReader reader)
    {
        var input = _connection.Transport.Input;
        while (true)
        {
            var result = await input.ReadAsync().ConfigureAwait(false);
            var error = ReadAll(reader, result.Buffer);
            input.AdvanceTo(result.Buffer.End);
            if (error is not null || result.IsCompleted)
            {
                return Judged(error);
            }

            WatchFrame(reader);
        }
    }

    // Frames come through the ring, and the connection says nothing more but that it has ended.
    private async Task<string?> ReadAsync(FrameReader reader, SharedRing ring)
    {
        var frames = new RingReader(ring, reader, () => WatchFrame(reader));
        var ending = AwaitEndAsync();
        await Task.WhenAny(ending, frames.End).ConfigureAwait(false);
        frames.Finish();
        var error = await frames.End.ConfigureAwait(false);
        if (error is not null)
        {
            Judged(error);
            _connection.Abort();
            await ((Task)ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return error;
        }

        return Judged(await ending.ConfigureAwait(false));
    }

    private async Task<string?> AwaitEndAsync()
    {
        var result = await _connection.Transport.Input.ReadAsync().ConfigureAwait(false);
        var isSilent = result.Buffer.IsEmpty;
        _connection.Transport.Input.AdvanceTo(result.Buffer.End);
        return isSilent ? null : "Bytes came over the connection, though a ring was agreed on.";
    }

    private string? Judged(string? error)
    {
        if (error is not null)
        {
            _isViolated = true;
            _plane.Counters.Violated();
            _plane.Log.LogWarning("Tensor connection from {Node} is closed: {Error}", _node, error);
        }

        return error;
    }

    private static string? ReadAll(FrameReader reader, in ReadOnlySequence<byte> bytes)
    {
        foreach (var segment in bytes)
        {
            if (reader.Read(segment.Span) is { } error)
            {
                return error;
            }
        }

        return null;
    }

    // A frame's time begins with the first read that leaves that very frame incomplete.
    private void WatchFrame(FrameReader reader)
    {
        var since = Interlocked.Read(ref _frameSince);
        if (!reader.IsInsideFrame)
        {
            since = 0;
        }
        else if (since == 0 || _watchedFrame != reader.Frames)
        {
            since = _plane.Settings.Time.GetTimestamp();
        }

        _watchedFrame = reader.Frames;
        Interlocked.Exchange(ref _frameSince, since);
    }

    private async Task GrantAsync()
    {
        for (var flow = 0; flow < Flows.Count; flow++)
        {
            Interlocked.Exchange(ref _returned[flow], _plane.Settings.PlacesPerFlow);
        }

        try
        {
            do
            {
                WriteGrants(_connection.Transport.Output);
                await _connection.Transport.Output.FlushAsync().ConfigureAwait(false);
                await _grantWanted.WaitAsync().ConfigureAwait(false);
            }
            while (!_hasEnded);
        }
        catch (Exception broken) when (broken is IOException or ConnectionAbortedException or InvalidOperationException)
        {
            _connection.Abort();
        }
    }

    private void WriteGrants(PipeWriter output)
    {
        for (var flow = 0; flow < Flows.Count; flow++)
        {
            var count = Interlocked.Exchange(ref _returned[flow], 0);
            if (count == 0)
            {
                continue;
            }

            Interlocked.Add(ref _granted[flow], count);
            new PlaceGrant((Flow)flow, count).Write(output.GetSpan(PlaceGrant.Bytes));
            output.Advance(PlaceGrant.Bytes);
        }
    }

    private void Return(Flow flow)
    {
        Interlocked.Increment(ref _returned[(int)flow]);
        GrantWhereFew(flow);
    }

    // First of all whoever relies on this node hears that it is gone: everything else can wait.
    private void Leave(string reason)
    {
        if (_hasEnded)
        {
            return;
        }

        _hasEnded = true;
        _peer?.Leave(_isViolated || IsHostStopping ? null : reason);
        WakeGranting();
    }

    // Not one grant for each place: while the sender has more than half of its places it can wait. With no more than
    // that, whatever has been returned is granted at once, so that no sender stands still for a place that is free.
    private void GrantWhereFew(Flow flow)
    {
        if (Volatile.Read(ref _granted[(int)flow]) <= _plane.Settings.PlacesPerFlow / 2
            && Volatile.Read(ref _returned[(int)flow]) > 0)
        {
            WakeGranting();
        }
    }

    private void WakeGranting()
    {
        try
        {
            if (_grantWanted.CurrentCount == 0)
            {
                _grantWanted.Release();
            }
        }
        catch (SemaphoreFullException)
        {
            // Somebody else has woken it meanwhile: it will see this return too.
        }
    }

    private sealed class Place(IncomingConnection connection, Flow flow) : IPlace
    {
        private int _isReturned;

        public void Return()
        {
            if (Interlocked.Exchange(ref _isReturned, 1) == 0 && !connection._hasEnded)
            {
                connection.Return(flow);
            }
        }
    }
}
