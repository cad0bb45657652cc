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
/// <param name="state">What state it takes.</param>
internal sealed class FrameReceiver(IActorRef keeper, StateLayout state) : ITensorReceiver
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
    public Verdict Judge(string node, in FrameHeader header)
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return Verdict.Drop;
            }

            if (header.Kind == FrameKind.State ? IsOfState(header) : _members.Contains(node) && _routes?.TargetOf(header) is not null)
            {
                return Verdict.Deliver;
            }

            var what = $"it sent {header.Kind} {header.Shape} of edge {header.Edge}, replica {header.Replica}, that nobody here takes";
            keeper.Tell(new PeerLost(node, what));
            return Verdict.Close;
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
                    header.Generation, header.Step, VectorOf(header), header.FirstPosition, tensor));
            }
            else
            {
                _routes!.TargetOf(header)!.Tell(_routes.MessageOf(header, tensor));
            }
        }

        place.Return();
    }

    // Wherever it is kept for: whether it is wanted now, whoever takes it in knows.
    private bool IsOfState(in FrameHeader header)
    {
        var vector = VectorOf(header);
        return state.LengthOf(vector) is var length and > 0
            && header.ElementType == StateLayout.TypeOf(vector)
            && header.Rank == 1
            && header.Elements <= length - header.FirstPosition;
    }

    private static StateVector VectorOf(in FrameHeader header) => new(header.Edge, header.Replica, header.MicroBatch);

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
