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
/// <param name="assignment">Which layer of which replica.</param>
/// <param name="generation">The placement it belongs to.</param>
internal sealed class GradientPeers(LayerAssignment assignment, long generation) : LayerPeers(assignment, generation)
{
    private readonly PeerRounds<GradientReady> _rounds = new();
    private OptimizerState? _state;
    private Parameters? _parameters;
    private bool _isShown;

    /// <inheritdoc/>
    public override Parameters Parameters => _parameters ?? throw new ObjectDisposedException(nameof(GradientPeers));

    /// <inheritdoc/>
    public override Parameters RoundParameters => Parameters;

    /// <inheritdoc/>
    public override void Restore(Parameters parameters)
    {
        _parameters?.Dispose();
        _parameters = parameters;
    }

    /// <inheritdoc/>
    public override void Connect(ImmutableArray<IActorRef> peers, IActorRef self)
    {
        base.Connect(peers, self);
        if (IsFirst)
        {
            _state = OptimizerState.Rent(Assignment.Workspace.Pool, Assignment.Optimizer, Length);
        }
    }

    /// <inheritdoc/>
    public override Parameters Snapshot()
    {
        _isShown = true;
        return Parameters.Share();
    }

    /// <inheritdoc/>
    public override void Begin(long step, Parameters gradient, int examples)
    {
        if (Length == 0)
        {
            return;
        }

        IsBusy = true;
        var next = IsFirst ? Next() : null;
        TellOthers(() => new GradientReady(
            Generation, step, Assignment.Replica, gradient.Share(), next?.Share(), _state?.Share()));
        OnReady(new GradientReady(Generation, step, Assignment.Replica, gradient.Share(), next, _state?.Share()));
    }

    /// <summary>Every step is a round of its own: none is ever open.</summary>
    public override void CloseRound(long step)
    {
    }

    /// <inheritdoc/>
    public override void OnReady(IPeerReady ready)
    {
        var round = _rounds.Of(ready.Step, Peers.Length);
        if (round.Add((GradientReady)ready))
        {
            UpdateOwnPart(ready.Step, round);
        }
    }

    /// <inheritdoc/>
    public override void OnPartUpdated(PartUpdated updated)
    {
        var round = _rounds.Of(updated.Step, Peers.Length);
        if (!round.PartDone())
        {
            return;
        }

        _rounds.Remove(updated.Step);
        _parameters?.Dispose();
        _parameters = round[0].Next!.Share();
        round.Dispose();
        IsBusy = false;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _rounds.Dispose();
        _parameters?.Dispose();
        _parameters = null;
        _state?.Dispose();
        _state = null;
    }

    private void UpdateOwnPart(long step, PeerRound<GradientReady> round)
    {
        new SharedUpdate(
            step,
            Assignment.RateAt(step),
            [.. round.All.Select(ready => ready.Gradient)],
            Parameters,
            round[0].Next!,
            round[0].State!).Apply(
                Assignment.Node.Layer, Assignment.Optimizer, Assignment.Replica, Assignment.Workspace.Tiles);
        var updated = new PartUpdated(Generation, step, Assignment.Replica);
        TellOthers(() => updated);
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
            Assignment.Workspace.Pool, Assignment.Node.Layer.Parameters, Assignment.Node.Layer.PackedLength);
    }
}
