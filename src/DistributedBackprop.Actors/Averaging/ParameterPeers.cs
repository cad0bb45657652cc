using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Averaging;

/// <summary>
/// Parameter averaging (local SGD): each replica updates parameters of its own from its own gradient, and now and then, in
/// a round, all go on from one mean. In a round each peer tells all that its parameters are ready; having heard of all,
/// each computes its own part of the round's parameters; having heard of all parts, each takes them over.
/// </summary>
/// <param name="choice">How often, and how the mean becomes the next parameters.</param>
/// <param name="assignment">Which layer of which replica.</param>
/// <param name="generation">The placement it belongs to.</param>
internal sealed class ParameterPeers(ParameterAveraging choice, LayerAssignment assignment, long generation)
    : LayerPeers(assignment, generation)
{
    private readonly PeerRounds<ParametersReady> _rounds = new();
    private Parameters? _own;
    private Parameters? _round;
    private OptimizerState? _state;
    private Tensor? _momentum;
    private long _examples;
    private long _updates;
    private long _lastRound;
    private bool _isShown;

    /// <inheritdoc/>
    public override Parameters Parameters => _own ?? throw new ObjectDisposedException(nameof(ParameterPeers));

    /// <inheritdoc/>
    public override Parameters RoundParameters => _round ?? throw new ObjectDisposedException(nameof(ParameterPeers));

    /// <inheritdoc/>
    public override void Restore(Parameters parameters)
    {
        _round?.Dispose();
        _own?.Dispose();
        _round = parameters;
        _own = Rent();
        _own.CopyFrom(parameters);
    }

    /// <inheritdoc/>
    public override void Connect(ImmutableArray<IActorRef> peers, IActorRef self)
    {
        base.Connect(peers, self);
        _state = OptimizerState.Rent(Assignment.Workspace.Pool, Assignment.Optimizer, Length);
        _momentum = IsFirst ? Tensor.RentZeros(Assignment.Workspace.Pool, new Shape(Length)) : null;
    }

    /// <inheritdoc/>
    public override Parameters Snapshot()
    {
        _isShown = true;
        return RoundParameters.Share();
    }

    /// <inheritdoc/>
    public override void Begin(long step, Parameters gradient, int examples)
    {
        if (Length == 0)
        {
            return;
        }

        // A replica without examples has learnt nothing: it does not count the step.
        if (examples > 0)
        {
            _updates++;
            _examples += examples;
            new SharedUpdate(_updates, Assignment.RateAt(step), [gradient], Parameters, Parameters, _state!).Apply(
                Assignment.Node.Layer, Assignment.Optimizer, 0, Assignment.Workspace.Tiles);
        }

        if (step % choice.Every == 0 || step == Assignment.TotalSteps)
        {
            BeginRound(step);
        }
    }

    /// <inheritdoc/>
    public override void CloseRound(long step)
    {
        if (Length > 0 && step > _lastRound)
        {
            BeginRound(step);
        }
    }

    /// <inheritdoc/>
    public override void OnReady(IPeerReady ready)
    {
        var round = _rounds.Of(ready.Step, Peers.Length);
        if (round.Add((ParametersReady)ready))
        {
            ComputeOwnPart(ready.Step, round);
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
        _round?.Dispose();
        _round = round[0].Next!.Share();
        round.Dispose();
        Parameters.CopyFrom(_round);
        if (choice.InnerState == InnerState.Reset)
        {
            _state!.Clear();
            _updates = 0;
        }

        _examples = 0;
        _lastRound = updated.Step;
        IsBusy = false;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _rounds.Dispose();
        _own?.Dispose();
        _round?.Dispose();
        _state?.Dispose();
        _momentum?.Dispose();
        (_own, _round, _state, _momentum) = (null, null, null, null);
    }

    private void BeginRound(long step)
    {
        IsBusy = true;
        var next = IsFirst ? Next() : null;
        TellOthers(() => Ready(step, next?.Share()));
        OnReady(Ready(step, next));
    }

    private ParametersReady Ready(long step, Parameters? next) => new(
        Generation, step, Assignment.Replica, _examples, Parameters.Share(), _state!.Share(), next, _momentum?.Share());

    private void ComputeOwnPart(long step, PeerRound<ParametersReady> round)
    {
        new ParameterRound(
            choice,
            ParameterRound.WeightsOf([.. round.All.Select(ready => ready.Examples)]),
            [.. round.All.Select(ready => ready.Parameters)],
            [.. round.All.Select(ready => ready.State)],
            RoundParameters,
            round[0].Next!,
            round[0].Momentum!).Apply(
                Assignment.Node.Layer, Assignment.Optimizer.Slots, Assignment.Replica, Assignment.Workspace);
        var updated = new PartUpdated(Generation, step, Assignment.Replica);
        TellOthers(() => updated);
        OnPartUpdated(updated);
    }

    // In place unless somebody keeps the last round's parameters as they are.
    private Parameters Next()
    {
        if (!_isShown)
        {
            return RoundParameters.Share();
        }

        _isShown = false;
        return Rent();
    }

    private Parameters Rent() => Parameters.Rent(
        Assignment.Workspace.Pool, Assignment.Node.Layer.Parameters, Assignment.Node.Layer.PackedLength);
}
