using System.Collections.Immutable;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Averaging;

/// <summary>
/// Gradient averaging: in every step each peer sums and updates its own part, and all go on with the same new parameters.
/// Of the optimizer's state each node keeps what belongs to the parts of its own replicas.
/// </summary>
/// <param name="assignment">Which layer of which replica.</param>
/// <param name="generation">The placement it belongs to.</param>
internal sealed class GradientPeers(LayerAssignment assignment, long generation) : LayerPeers(assignment, generation, slots: 1)
{
    private OptimizerState? _state;
    private Parameters? _parameters;
    private bool _isShown;

    /// <inheritdoc/>
    public override Parameters Parameters => _parameters ?? throw new ObjectDisposedException(nameof(GradientPeers));

    /// <inheritdoc/>
    public override Parameters RoundParameters => Parameters;

    /// <inheritdoc/>
    public override void Restore(Restore restore)
    {
        Dispose();
        (_parameters, _state) = (restore.Parameters, restore.State);
        restore.Own?.Dispose();
        restore.Momentum?.Dispose();
    }

    /// <inheritdoc/>
    public override void Connect(ImmutableArray<Peer> peers)
    {
        base.Connect(peers);
        if (IsLeader)
        {
            _state ??= OptimizerState.Rent(Assignment.Workspace.Pool, Assignment.Optimizer, Length);
        }
    }

    /// <inheritdoc/>
    public override Parameters Snapshot()
    {
        _isShown = true;
        return Parameters.Share();
    }

    /// <inheritdoc/>
    public override IEnumerable<(StateVector Vector, int Start, Tensor Value)> Capture(bool parametersOnly, bool trainsOn)
    {
        if (Length == 0 || !IsLeader)
        {
            yield break;
        }

        var layer = Assignment.Node.Index;
        if (Assignment.Replica == 0)
        {
            using var parameters = Snapshot();
            yield return (new StateVector(layer, 0, StateSlot.Parameters), 0, parameters.Vector.Share());
        }

        for (var slot = 0; slot < _state!.Slots.Count && !parametersOnly; slot++)
        {
            foreach (var part in PartsHere())
            {
                yield return (
                    new StateVector(layer, 0, StateSlot.Optimizer + slot),
                    part.Start,
                    AsItIs(_state.Slots[slot], part, trainsOn));
            }
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

        using var next = IsLeader ? Next() : null;
        BeginRound(step, examples, () => new GradientReady(
            Generation,
            step,
            Assignment.Replica,
            gradient.Share(),
            next?.Share(),
            IsLeader ? _state!.Share() : null));
    }

    /// <summary>Every step is a round of its own: none is ever open.</summary>
    public override void CloseRound(long step)
    {
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _parameters?.Dispose();
        _parameters = null;
        _state?.Dispose();
        _state = null;
    }

    /// <inheritdoc/>
    protected override Tensor VectorOf(PeerReady ready, int slot) => ready.Vector;

    /// <inheritdoc/>
    protected override Tensor ResultOf(PeerRound round, int slot) => NextOf(round).Vector;

    /// <inheritdoc/>
    protected override void Compute(PeerRound round, int chunk, Slice range) => new SharedUpdate(
        round.Step,
        Assignment.RateAt(round.Step),
        Leaves(round, chunk, 0),
        Parameters,
        NextOf(round),
        ((GradientReady)round[Leader]).State!).Apply(Layer, Assignment.Optimizer, range, Assignment.Workspace.Tiles);

    /// <inheritdoc/>
    protected override void TakeIn(PeerRound round, int slot, int start, Tensor value) => Write(NextOf(round), start, value);

    /// <inheritdoc/>
    protected override void Finish(PeerRound round)
    {
        _parameters?.Dispose();
        _parameters = NextOf(round).Share();
        ShowUpdate(round.Step);
    }

    private Parameters NextOf(PeerRound round) => ((GradientReady)round[Leader]).Next!;

    // In place unless somebody keeps the parameters as they are: an update replaces, it never overwrites what is in use.
    private Parameters Next()
    {
        if (!_isShown)
        {
            return Parameters.Share();
        }

        _isShown = false;
        return Rent();
    }
}
