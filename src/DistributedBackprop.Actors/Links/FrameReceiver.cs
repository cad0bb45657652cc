using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Links;

/// <summary>
/// Takes the frames of one generation on one node to its actors. A place is returned at once: what waits in an actor's
/// mailbox is bounded by the schedule, and what returned it later could keep out the one frame that is needed.
/// </summary>
/// <param name="keeper">Takes state, and hears of frames that are none of this generation.</param>
internal sealed class FrameReceiver(IActorRef keeper) : ITensorReceiver
{
    private readonly Lock _lock = new();
    private FrameRoutes? _routes;
    private ImmutableHashSet<string> _members = [];
    private bool _isClosed;

    /// <summary>From now on frames go to actors.</summary>
    /// <param name="routes">To which.</param>
    /// <param name="members">Of which nodes: what others send is none of this generation, however well it fits.</param>
    public void Open(FrameRoutes routes, ImmutableHashSet<string> members)
    {
        lock (_lock)
        {
            (_routes, _members) = (routes, members);
        }
    }

    /// <summary>From now on nobody is told anything: what was told before is in the mailboxes.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
        }
    }

    /// <inheritdoc/>
    public void OnTensor(string node, in FrameHeader header, Tensor tensor, IPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        lock (_lock)
        {
            if (_isClosed)
            {
                tensor.Dispose();
            }
            else if (header.Kind == FrameKind.State)
            {
                keeper.Tell(new StatePart(
                    header.Generation,
                    header.Step,
                    new StateVector(header.Edge, header.Replica, header.MicroBatch),
                    header.FirstPosition,
                    tensor));
            }
            else if (_members.Contains(node) && _routes?.Of(header, tensor) is { } route)
            {
                route.Target.Tell(route.Message);
            }
            else
            {
                var what = $"it sent {header.Kind} {tensor} of edge {header.Edge}, replica {header.Replica}, that nobody here takes";
                tensor.Dispose();
                keeper.Tell(new PeerLost(node, what));
            }
        }

        place.Return();
    }

    /// <inheritdoc/>
    public void OnPeerLost(string node, string reason)
    {
        lock (_lock)
        {
            if (!_isClosed)
            {
                keeper.Tell(new PeerLost(node, reason));
            }
        }
    }
}
