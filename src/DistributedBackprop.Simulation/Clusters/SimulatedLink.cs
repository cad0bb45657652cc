using System.Net;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// The sending end of a connection: one frame at a time leaves, and is copied only then, as a socket does. So a tensor that
/// is written too early shows.
/// </summary>
internal sealed class SimulatedLink : ITensorLink
{
    // What a socket takes before it blocks.
    private const int MostUnderWay = 4;

    private static readonly TimeSpan _connectDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _frameDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(100);

    private readonly SimulatedPlane _plane;
    private readonly ILinkObserver _observer;
    private readonly OutgoingFlows _flows = new(PlaneSettings.MaxPlacesPerFlow);
    private readonly bool[] _wanted = [.. Enumerable.Repeat(true, Flows.Count)];
    private readonly long[] _bytesSent = new long[Flows.Count];
    private SimulatedConnection? _connection;
    private OutgoingFrame? _leaving;
    private TimeSpan _leavingSince;
    private TimeSpan _openedAt;
    private bool _hasPlaces;
    private bool _hasEnded;
    private bool _isBroken;

    public SimulatedLink(SimulatedPlane plane, DnsEndPoint peer, ILinkObserver observer)
    {
        _plane = plane;
        _observer = observer;
        Peer = peer;
    }

    public DnsEndPoint Peer { get; }

    /// <summary>Whether it was disposed, or is broken.</summary>
    public bool HasEnded => _hasEnded;

    private SimulatedNode Host => _plane.Host;

    private TimeSpan Now => Host.Loop.Now;

    public void Start()
    {
        _openedAt = Now;
        Host.After(_plane.Network.Latency(), Connect);
        Host.After(_connectDeadline, () =>
        {
            if (!_hasPlaces)
            {
                Break($"{Peer.Host}:{Peer.Port} did not answer within {_connectDeadline}.");
            }
        });
    }

    public bool TrySend(in FrameHeader header, Tensor tensor)
    {
        var described = header.Describing(tensor);
        if (_hasEnded || !_flows.TryAdd(described, tensor))
        {
            _wanted[(int)described.Flow] = true;
            return false;
        }

        Leave();
        return true;
    }

    public long BytesSent(Flow flow) => _bytesSent[(int)flow];

    public void Dispose()
    {
        if (!_hasEnded)
        {
            _hasEnded = true;
            End();
        }
    }

    /// <summary>The other end has places.</summary>
    public void OnGranted(PlaceGrant grant)
    {
        if (_hasEnded)
        {
            return;
        }

        if (!_flows.TryGrant(grant))
        {
            _plane.Network.Violations.Add($"{Peer.Host} granted more places of {grant.Flow} than there can be");
            Break("granted places in a way that nodes do not");
            return;
        }

        _hasPlaces = true;
        if (_wanted[(int)grant.Flow])
        {
            _wanted[(int)grant.Flow] = false;
            _observer.OnPlaces(this, grant.Flow);
        }
    }

    /// <summary>The connection is broken.</summary>
    public void Break(string reason)
    {
        if (_hasEnded)
        {
            return;
        }

        (_hasEnded, _isBroken) = (true, true);
        _observer.OnBroken(this, reason);
        End();
    }

    private void Connect()
    {
        if (_hasEnded)
        {
            return;
        }

        switch (_plane.Reach(Peer))
        {
            case ProbeOutcome.Refused:
                Break($"Nobody listens at {Peer.Host}:{Peer.Port}.");
                break;
            case ProbeOutcome.Silent when Now - _openedAt < _connectDeadline:
                Host.After(_again, Connect);
                break;
            case ProbeOutcome.Answered:
                _connection = new SimulatedConnection(this, _plane, _plane.Network.At(Peer.Port)!);
                break;
        }
    }

    // One at a time, and only as fast as the other end takes them.
    private void Leave()
    {
        if (_leaving is null && _flows.TryTake(out _leaving))
        {
            _leavingSince = Now;
            Host.After(_plane.Network.Latency() / 8, Left);
        }
    }

    private void Left()
    {
        if (_leaving is not { } frame)
        {
            return;
        }

        if (_connection!.UnderWay >= MostUnderWay)
        {
            if (Now - _leavingSince > _frameDeadline)
            {
                Break($"{Peer.Host}:{Peer.Port} did not take a frame within {_frameDeadline}.");
            }
            else
            {
                // Not oftener than need be: what stands may stand for long.
                var stood = Now - _leavingSince;
                Host.After(stood < _again ? _again / 100 : _again, Left);
            }

            return;
        }

        _leaving = null;
        using (frame.Tensor)
        {
            _connection.Send(frame);
            _bytesSent[(int)frame.Header.Flow] += frame.Header.PayloadBytes;
        }

        Leave();
    }

    private void End()
    {
        _connection?.End();
        Host.After(_plane.Network.Latency() / 4, () =>
        {
            _leaving?.Tensor.Dispose();
            _leaving = null;
            _flows.Dispose();
            _observer.OnReleased(this);
            if (_isBroken)
            {
                _plane.Probe(Peer, outcome => _observer.OnProbed(this, outcome));
            }
        });
    }
}
