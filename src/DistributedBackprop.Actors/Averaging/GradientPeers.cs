using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Optimizers;

namespace DistributedBackprop.Actors.Averaging;

/// <summary>
/// One layer's side of the averaging with the same layer in the other replicas of this process. In the order it happens:
/// each peer tells all that its gradient is complete; having heard of all, each sums, updates and prepares its own part
/// in place; having heard of all parts, each goes on with the same new parameters. Two hops, nothing copied, nobody in
/// the middle. The first replica owns the parameters and the optimizer's state, and sends shares of them along.
/// </summary>
internal sealed class GradientPeers : IDisposable
{
    private readonly LayerAssignment _assignment;
    private readonly long _generation;
    private readonly SortedDictionary<long, Round> _rounds = [];
    private ImmutableArray<IActorRef> _peers = [];
    private IActorRef _self = ActorRefs.Nobody;
    private OptimizerState? _state;
    private Parameters? _parameters;
    private bool _isShown;

    /// <param name="assignment">Which layer of which replica.</param>
    /// <param name="generation">The placement it belongs to.</param>
    public GradientPeers(LayerAssignment assignment, long generation)
    {
        _assignment = assignment;
        _generation = generation;
    }

    /// <summary>Whether an update is under way: the layer must not begin another step.</summary>
    public bool IsUpdating { get; private set; }

    /// <summary>The parameters now; borrowed.</summary>
    public Parameters Parameters => _parameters ?? throw new ObjectDisposedException(nameof(GradientPeers));

    private bool IsFirst => _assignment.Replica == 0;

    /// <summary>Takes the parameters to begin with.</summary>
    public void Restore(Parameters parameters)
    {
        _parameters?.Dispose();
        _parameters = parameters;
    }

    /// <summary>Learns who the peers are.</summary>
    public void Connect(ImmutableArray<IActorRef> peers, IActorRef self)
    {
        _peers = peers;
        _self = self;
        if (IsFirst)
        {
            _state = OptimizerState.Rent(_assignment.Workspace.Pool, _assignment.Optimizer, _assignment.Node.Layer.Parameters.Length);
        }
    }

    /// <summary>A share of the parameters for somebody who keeps it: the next update leaves it as it is.</summary>
    public Parameters Snapshot()
    {
        _isShown = true;
        return Parameters.Share();
    }

    /// <summary>The layer's own gradient of a step is complete.</summary>
    /// <param name="step">Which step.</param>
    /// <param name="gradient">Borrowed: it may be written again once the update is over.</param>
    public void Begin(long step, Parameters gradient)
    {
        if (_assignment.Node.Layer.Parameters.Length == 0)
        {
            return;
        }

        IsUpdating = true;
        var next = IsFirst ? Next() : null;
        foreach (var peer in _peers)
        {
            if (!peer.Equals(_self))
            {
                peer.Tell(new GradientReady(_generation, step, _assignment.Replica, gradient.Share(), next?.Share(), _state?.Share()));
            }
        }

        OnGradientReady(new GradientReady(_generation, step, _assignment.Replica, gradient.Share(), next, _state?.Share()));
    }

    /// <summary>A peer's gradient is complete. Takes the message's shares.</summary>
    public void OnGradientReady(GradientReady ready)
    {
        var round = RoundOf(ready.Step);
        round.Ready[ready.Replica] = ready;
        if (Array.TrueForAll(round.Ready, peer => peer is not null))
        {
            UpdateOwnPart(ready.Step, round);
        }
    }

    /// <summary>A peer's part is done.</summary>
    public void OnPartUpdated(PartUpdated updated)
    {
        var round = RoundOf(updated.Step);
        round.PartsDone++;
        if (round.PartsDone < _peers.Length)
        {
            return;
        }

        _rounds.Remove(updated.Step);
        _parameters?.Dispose();
        _parameters = round.Ready[0]!.Next!.Share();
        round.Dispose();
        IsUpdating = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var round in _rounds.Values)
        {
            round.Dispose();
        }

        _rounds.Clear();
        _parameters?.Dispose();
        _parameters = null;
        _state?.Dispose();
        _state = null;
    }

    private void UpdateOwnPart(long step, Round round)
    {
        new SharedUpdate(
            step,
            _assignment.RateAt(step),
            [.. round.Ready.Select(ready => ready!.Gradient)],
            Parameters,
            round.Ready[0]!.Next!,
            round.Ready[0]!.State!).Apply(
                _assignment.Node.Layer, _assignment.Optimizer, _assignment.Replica, _assignment.Workspace.Tiles);
        var updated = new PartUpdated(_generation, step, _assignment.Replica);
        foreach (var peer in _peers)
        {
            if (!peer.Equals(_self))
            {
                peer.Tell(updated);
            }
        }

        OnPartUpdated(updated);
    }

    // In place unless somebody keeps the parameters as they are: an update replaces, it never overwrites what is in use.
    private Parameters Next()
    {
        if (!_isShown)
        {
            return Parameters.Share();
        }

        _isShown = false;
        return Parameters.Rent(
            _assignment.Workspace.Pool, _assignment.Node.Layer.Parameters, _assignment.Node.Layer.PackedLength);
    }

    private Round RoundOf(long step)
    {
        if (!_rounds.TryGetValue(step, out var round))
        {
            _rounds.Add(step, round = new Round(_peers.Length));
        }

        return round;
    }

    // A fast peer may be one step ahead: its next gradient comes before the last part of this step.
    private sealed class Round(int peers) : IDisposable
    {
        public GradientReady?[] Ready { get; } = new GradientReady?[peers];

        public int PartsDone { get; set; }

        public void Dispose()
        {
            foreach (var ready in Ready)
            {
                ready?.Dispose();
            }
        }
    }
}
