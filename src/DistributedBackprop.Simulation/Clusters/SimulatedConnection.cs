using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>A frame that has arrived, before anybody has judged it.</summary>
/// <param name="To">On which host.</param>
/// <param name="Header">Its name.</param>
/// <param name="Payload">Its content.</param>
internal sealed record ArrivingFrame(string To, FrameHeader Header, byte[] Payload);

/// <summary>
/// A connection for tensors with its receiving end: frames one way, places the other. It judges, grants and hears of its
/// end as the real one does.
/// </summary>
internal sealed class SimulatedConnection
{
    private readonly SimulatedLink _link;
    private readonly SimulatedPlane _from;
    private readonly SimulatedPlane _to;
    private readonly Pipe _frames;
    private readonly Pipe _grants;
    private readonly int[] _granted = new int[Flows.Count];
    private readonly int[] _returned = new int[Flows.Count];
    private PeerConnection? _peer;
    private bool _hasLeft;

    public SimulatedConnection(SimulatedLink link, SimulatedPlane from, SimulatedPlane to)
    {
        (_link, _from, _to) = (link, from, to);
        _frames = from.Network.PipeOf(from.Host, to.Host);
        _grants = from.Network.PipeOf(to.Host, from.Host);
        from.Network.Add(this);
        _frames.Send(0, Enter);
    }

    /// <summary>How many frames are under way.</summary>
    public int UnderWay => _frames.UnderWay;

    /// <summary>Whether both ends have ended.</summary>
    public bool IsOver => (_hasLeft || _to.Host.IsKilled) && (_link.HasEnded || _from.Host.IsKilled);

    private TensorNetwork Network => _from.Network;

    /// <summary>Whether it leads from a host to another.</summary>
    public bool Leads(string from, string to) => _from.Host.Name == from && _to.Host.Name == to;

    /// <summary>Sends a frame.</summary>
    public void Send(OutgoingFrame frame)
    {
        var header = new byte[FrameHeader.Bytes];
        frame.Header.Write(header);
        var payload = frame.Tensor.Bytes.ToArray();
        _frames.Send(header.Length + payload.Length, () => OnFrame(header, payload));
    }

    /// <summary>The sending end has ended: the other hears of it behind the frames that are under way.</summary>
    public void End() => _frames.Send(0, () => Leave("The connection was closed."));

    /// <summary>The weather has changed.</summary>
    public void Move()
    {
        _frames.Move();
        _grants.Move();
    }

    /// <summary>A host has died.</summary>
    public void OnKilled(SimulatedNode host)
    {
        if (_from.Host == host)
        {
            End();
        }
        else if (_to.Host == host)
        {
            _grants.Send(0, () => _link.Break($"{_to.Host.Name} has closed the connection."));
        }
    }

    /// <summary>It breaks: both ends hear of it, what is under way is lost.</summary>
    public void Break()
    {
        _frames.Close();
        _grants.Close();
        _from.Host.After(TimeSpan.Zero, () => _link.Break($"The connection to {_to.Host.Name} is broken."));
        _to.Host.After(TimeSpan.Zero, () => Leave("The connection is broken."));
    }

    private void Enter()
    {
        _peer = _to.Watch.Enter(_from.Host.Name);
        for (var flow = 0; flow < Flows.Count; flow++)
        {
            _returned[flow] = Network.Places;
            Grant((Flow)flow);
        }
    }

    private void OnFrame(byte[] bytes, byte[] payload)
    {
        if (_hasLeft)
        {
            return;
        }

        if (!FrameHeader.TryParse(bytes, FrameLimits.Default, out var header, out var error))
        {
            Violate(error!);
            return;
        }

        if (_granted[(int)header.Flow]-- == 0)
        {
            Violate($"a frame of {header.Flow} came without a place");
            return;
        }

        Network.Frames++;
        if (Network.Interceptor is null)
        {
            Judge(new ArrivingFrame(_to.Host.Name, header, payload));
        }
        else if (Network.Interceptor(new ArrivingFrame(_to.Host.Name, header, payload)) is { } altered)
        {
            Judge(altered);
        }
    }

    private void Judge(ArrivingFrame frame)
    {
        var verdict = _to.Gate.Judge(frame.Header, out var receiver);
        switch (verdict == Verdict.Deliver ? receiver!.Judge(_from.Host.Name, frame.Header) : verdict)
        {
            case Verdict.Deliver:
                var tensor = Tensor.Rent(_to.Pool, frame.Header.Shape, frame.Header.ElementType);
                frame.Payload.CopyTo(tensor.Bytes);
                _peer!.Delivers(frame.Header);
                receiver!.OnTensor(_from.Host.Name, frame.Header, tensor, new Place(this, frame.Header.Flow));
                break;
            case Verdict.Drop:
                Return(frame.Header.Flow);
                break;
            default:
                // As the real one does; in production it is a mistake of the sender's, or it is late by a whole job.
                Violate($"a frame of generation {frame.Header.Generation}, which is not prepared");
                break;
        }
    }

    private void Violate(string what)
    {
        Network.Violations.Add($"{_from.Host.Name} to {_to.Host.Name}: {what}");
        Leave(null);
        _grants.Send(0, () => _link.Break($"{_to.Host.Name} has closed the connection."));
    }

    private void Leave(string? reason)
    {
        if (!_hasLeft)
        {
            _hasLeft = true;
            _peer?.Leave(reason);
        }
    }

    private void Return(Flow flow)
    {
        _returned[(int)flow]++;
        if (_granted[(int)flow] <= Network.Places / 2)
        {
            Grant(flow);
        }
    }

    private void Grant(Flow flow)
    {
        var count = _returned[(int)flow];
        _granted[(int)flow] += count;
        _returned[(int)flow] = 0;
        _grants.Send(PlaceGrant.Bytes, () => _link.OnGranted(new PlaceGrant(flow, count)));
    }

    private sealed class Place(SimulatedConnection connection, Flow flow) : IPlace
    {
        private bool _isReturned;

        public void Return()
        {
            if (!_isReturned && !connection._hasLeft)
            {
                _isReturned = true;
                connection.Return(flow);
            }
        }
    }
}
