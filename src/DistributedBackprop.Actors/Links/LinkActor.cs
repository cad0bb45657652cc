using System.Net;
using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Links;

/// <summary>
/// Stands on this node for the actors of one generation on another: layers tell it what they would tell a neighbour
/// here. Tensors leave as frames, each flow as far as the other end has places for it and the rest waits here, bounded
/// by the schedule; small messages go to the other end's actor of the generation, which passes them on.
/// </summary>
public sealed class LinkActor : ReceiveActor
{
    // No schedule has as many messages under way to one node: more of them is a mistake that must not eat the memory.
    private const int MaxWaiting = 1 << 20;

    private readonly string _peer;
    private readonly ulong _job;
    private readonly Queue<(FrameHeader Header, Tensor Tensor)>[] _waiting;
    private readonly IActorRef _owner;
    private readonly ITensorLink _link;
    private IActorRef _control = ActorRefs.Nobody;
    private bool _isOpen;
    private bool _isClosing;
    private bool _isReleased;

    /// <summary>Makes the actor, which opens its link at once.</summary>
    /// <param name="plane">Carries tensors.</param>
    /// <param name="peer">The other node's name.</param>
    /// <param name="endPoint">Where it takes tensors.</param>
    /// <param name="job">The job, as <see cref="JobHash"/> names it.</param>
    public LinkActor(ITensorPlane plane, string peer, DnsEndPoint endPoint, ulong job)
    {
        ArgumentNullException.ThrowIfNull(plane);
        _peer = peer;
        _job = job;
        _owner = Context.Parent;
        _waiting = [.. Enumerable.Range(0, Flows.Count).Select(_ => new Queue<(FrameHeader, Tensor)>())];
        Receive<LinkTo>(to => _control = to.Peer);
        Receive<IReplicaMessage>(message => _control.Forward(message));
        Receive<Places>(OnPlaces);
        Receive<Broken>(broken => _owner.Tell(new LinkDown(_peer, broken.Reason)));
        Receive<Released>(_ =>
        {
            _isReleased = true;
            StopIfDone();
        });
        Receive<CloseLink>(_ => Close());
        ReceiveAny(Send);
        _link = plane.Open(endPoint, new Observer(Self));
    }

    /// <summary>How to make the actor.</summary>
    public static Props Props(ITensorPlane plane, string peer, DnsEndPoint endPoint, ulong job) =>
        Akka.Actor.Props.Create(() => new LinkActor(plane, peer, endPoint, job));

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _link.Dispose();
        Drop();
        base.PostStop();
    }

    private void Send(object message)
    {
        if (!FrameNames.TryOf(message, _job, out var header, out var tensor))
        {
            Unhandled(message);
            return;
        }

        var waiting = _waiting[(int)header.Flow];
        if (_isClosing)
        {
            tensor.Dispose();
        }
        else if (waiting.Count > 0 || !_link.TrySend(header, tensor))
        {
            waiting.Enqueue((header, tensor));
            if (waiting.Count > MaxWaiting)
            {
                throw new InvalidOperationException($"More than {MaxWaiting} tensors wait for {_peer}.");
            }
        }
    }

    private void OnPlaces(Places places)
    {
        if (!_isOpen)
        {
            _isOpen = true;
            _owner.Tell(new LinkOpened(_peer));
        }

        var waiting = _waiting[(int)places.Flow];
        while (waiting.TryPeek(out var next) && _link.TrySend(next.Header, next.Tensor))
        {
            waiting.Dequeue();
        }
    }

    private void Close()
    {
        _isClosing = true;
        Drop();
        _link.Dispose();
        StopIfDone();
    }

    private void StopIfDone()
    {
        if (_isClosing && _isReleased)
        {
            _owner.Tell(new LinkClosed(_peer, Enum.GetValues<Flow>().ToDictionary(flow => flow, _link.BytesSent)));
            Context.Stop(Self);
        }
    }

    private void Drop()
    {
        foreach (var waiting in _waiting)
        {
            while (waiting.TryDequeue(out var next))
            {
                next.Tensor.Dispose();
            }
        }
    }

    private sealed record Places(Flow Flow) : INoSerializationVerificationNeeded;

    private sealed record Broken(string Reason) : INoSerializationVerificationNeeded;

    private sealed record Released : INoSerializationVerificationNeeded;

    // Called from the link's threads: all it does is to tell the actor.
    private sealed class Observer(IActorRef actor) : ILinkObserver
    {
        public void OnPlaces(ITensorLink link, Flow flow) => actor.Tell(new Places(flow));

        public void OnBroken(ITensorLink link, string reason) => actor.Tell(new Broken(reason));

        // Who is dead and who only silent is for the coordinator to find out, by its members.
        public void OnProbed(ITensorLink link, ProbeOutcome outcome)
        {
        }

        public void OnReleased(ITensorLink link) => actor.Tell(new Released());
    }
}
