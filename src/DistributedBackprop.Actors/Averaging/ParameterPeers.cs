using System.Collections.Immutable;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Averaging;

/// <summary>
/// Parameter averaging (local SGD): each replica updates parameters of its own from its own gradient, and now and then, in
/// a round, all go on from one mean, of which each peer computes its own part. Where the inner state is averaged too, it
/// travels with the parameters.
/// </summary>
/// <param name="choice">How often, and how the mean becomes the next parameters.</param>
/// <param name="assignment">Which layer of which replica.</param>
/// <param name="generation">The placement it belongs to.</param>
internal sealed class ParameterPeers(ParameterAveraging choice, LayerAssignment assignment, long generation)
    : LayerPeers(assignment, generation, choice.InnerState == InnerState.Average ? 1 + assignment.Optimizer.Slots : 1)
{
    private Parameters? _own;
    private Parameters? _round;
    private OptimizerState? _state;
    private Tensor? _momentum;
    private ReplicaCounts _counts;
    private bool _isShown;

    /// <inheritdoc/>
    public override Parameters Parameters => _own ?? throw new ObjectDisposedException(nameof(ParameterPeers));

    /// <inheritdoc/>
    public override Parameters RoundParameters => _round ?? throw new ObjectDisposedException(nameof(ParameterPeers));

    /// <inheritdoc/>
    public override void Restore(Restore restore)
    {
        Dispose();
        (_round, _state, _own, _momentum) = (restore.Parameters, restore.State, restore.Own, restore.Momentum);
        _counts = restore.Counts;
        if (_own is null)
        {
            _own = Rent();
            _own.CopyFrom(_round);
        }
    }

    /// <inheritdoc/>
    public override void Connect(ImmutableArray<Peer> peers)
    {
        base.Connect(peers);
        _state ??= OptimizerState.Rent(Assignment.Workspace.Pool, Assignment.Optimizer, Length);
        if (IsLeader)
        {
            _momentum ??= Tensor.RentZeros(Assignment.Workspace.Pool, new Shape(Length));
        }
    }

    /// <inheritdoc/>
    public override Parameters Snapshot()
    {
        _isShown = true;
        return RoundParameters.Share();
    }

    /// <inheritdoc/>
    public override IEnumerable<(StateVector Vector, int Start, Tensor Value)> Capture(bool parametersOnly, bool trainsOn)
    {
        if (Length == 0)
        {
            yield break;
        }

        var (layer, replica) = (Assignment.Node.Index, Assignment.Replica);
        if (replica == 0)
        {
            using var parameters = Snapshot();
            yield return (new StateVector(layer, 0, StateSlot.Parameters), 0, parameters.Vector.Share());
        }

        if (parametersOnly)
        {
            yield break;
        }

        foreach (var part in IsLeader ? PartsHere() : [])
        {
            yield return (
                new StateVector(layer, 0, StateSlot.OuterMomentum),
                part.Start,
                AsItIs(_momentum!, part, trainsOn));
        }

        var all = new Slice(0, Length);
        yield return (new StateVector(layer, replica, StateSlot.OwnParameters), 0, AsItIs(Parameters.Vector, all, trainsOn));
        yield return (new StateVector(layer, replica, StateSlot.Counts), 0, _counts.ToTensor(Assignment.Workspace.Pool));
        for (var slot = 0; slot < _state!.Slots.Count; slot++)
        {
            yield return (new StateVector(layer, replica, StateSlot.Optimizer + slot), 0, AsItIs(_state.Slots[slot], all, trainsOn));
        }
    }

    /// <inheritdoc/>
    public override void Begin(long step, Parameters gradient, int examples)
    {
        if (Length == 0)
        {
            ShowUpdate(step);
            return;
        }

        // A replica without examples has learnt nothing: it does not count the step.
        if (examples > 0)
        {
            _counts = _counts with { Updates = _counts.Updates + 1, Examples = _counts.Examples + examples };
            new SharedUpdate(
                _counts.Updates, Assignment.RateAt(step), [new Leaf(gradient.Vector)], Parameters, Parameters, _state!).Apply(
                Layer, Assignment.Optimizer, new Slice(0, Length), Assignment.Workspace.Tiles);
        }

        // What a round makes of it is the work of all replicas, and no update.
        ShowUpdate(step);
        if (step % choice.Every == 0 || step == Assignment.TotalSteps)
        {
            BeginRound(step);
        }
    }

    /// <inheritdoc/>
    public override void CloseRound(long step)
    {
        if (Length > 0 && step > _counts.LastRound)
        {
            BeginRound(step);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _own?.Dispose();
        _round?.Dispose();
        _state?.Dispose();
        _momentum?.Dispose();
        (_own, _round, _state, _momentum) = (null, null, null, null);
    }

    /// <inheritdoc/>
    protected override Tensor VectorOf(PeerReady ready, int slot) =>
        slot == 0 ? ready.Vector : ((ParametersReady)ready).State.Slots[slot - 1];

    /// <inheritdoc/>
    protected override Tensor ResultOf(PeerRound round, int slot) =>
        slot == 0 ? NextOf(round).Vector : _state!.Slots[slot - 1];

    /// <inheritdoc/>
    protected override void Compute(PeerRound round, int chunk, Slice range)
    {
        var slots = Enumerable.Range(0, Slots).Select(slot => Leaves(round, chunk, slot)).ToList();
        new ParameterRound(
            choice,
            ParameterRound.WeightsOf(round.Examples),
            slots[0],
            [.. Enumerable.Range(0, slots[0].Length).Select(replica => slots.Skip(1).Select(leaves => leaves[replica]).ToList())],
            RoundParameters,
            NextOf(round),
            ((ParametersReady)round[Leader]).Momentum!).Apply(Layer, range, Assignment.Workspace);
    }

    /// <inheritdoc/>
    protected override void TakeIn(PeerRound round, int slot, int start, Tensor value)
    {
        if (slot == 0)
        {
            Write(NextOf(round), start, value);
            return;
        }

        foreach (var ready in round.Here)
        {
            value.Floats.CopyTo(VectorOf(ready, slot).Floats[start..]);
        }
    }

    /// <inheritdoc/>
    protected override void Finish(PeerRound round)
    {
        _round?.Dispose();
        _round = NextOf(round).Share();
        Parameters.CopyFrom(_round);
        _counts = _counts with { Examples = 0, LastRound = round.Step };
        if (choice.InnerState == InnerState.Reset)
        {
            _state!.Clear();
            _counts = _counts with { Updates = 0 };
        }
    }

    private void BeginRound(long step)
    {
        using var next = IsLeader ? Next() : null;
        BeginRound(step, _counts.Examples, () => new ParametersReady(
            Generation,
            step,
            Assignment.Replica,
            _counts.Examples,
            Parameters.Share(),
            _state!.Share(),
            next?.Share(),
            IsLeader ? _momentum!.Share() : null));
    }

    private Parameters NextOf(PeerRound round) => ((ParametersReady)round[Leader]).Next!;

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
}
