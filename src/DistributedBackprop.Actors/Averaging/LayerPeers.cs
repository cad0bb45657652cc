using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Averaging;

/// <summary>
/// One layer's side of the averaging with the same layer in the other replicas. The layer tells it that a step's gradient
/// is complete and hands it the peers' messages; it says when the layer may go on, and with which parameters.
/// <para>
/// In the order it happens: (1) each peer tells those on its node that it is ready, and sends each peer on another node
/// its share of that one's part, chunk by chunk (reduce-scatter); (2) whoever has everything of a chunk of its own part
/// sums it in the order of the tree, and computes what follows from it, in place; (3) it sends the chunk to every other
/// node (all-gather), whose first replica takes it in, for all of that node; (4) all parts done, all peers go on. Nobody
/// is in the middle, peers on one node copy nothing, and no order of arrival shows in the sums.
/// </para>
/// What was sent is not written before it has left: a peer goes on only when all parts have come back, and those were
/// computed from what was sent.
/// </summary>
internal abstract class LayerPeers : IDisposable
{
    private readonly SortedDictionary<long, PeerRound> _rounds = [];
    private readonly LayerParts _parts;
    private ImmutableArray<Peer> _peers = [];
    private ImmutableArray<IActorRef> _othersHere = [];
    private ImmutableArray<IActorRef> _nodes = [];
    private ImmutableArray<Slice> _chunks = [];
    private long _elementsElsewhere;
    private int _here;

    /// <param name="assignment">Which layer of which replica.</param>
    /// <param name="generation">The placement it belongs to.</param>
    /// <param name="slots">Vectors that are averaged.</param>
    protected LayerPeers(LayerAssignment assignment, long generation, int slots)
    {
        Assignment = assignment;
        Generation = generation;
        Slots = slots;
        _parts = new LayerParts(assignment.Node.Layer, assignment.Replicas);
    }

    /// <summary>Whether an update or a round is under way: the layer must not begin another step.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>The parameters to train with; borrowed.</summary>
    public abstract Parameters Parameters { get; }

    /// <summary>The parameters to evaluate and export: those of the newest round; borrowed.</summary>
    public abstract Parameters RoundParameters { get; }

    /// <summary>Which layer of which replica.</summary>
    protected LayerAssignment Assignment { get; }

    /// <summary>The placement it belongs to.</summary>
    protected long Generation { get; }

    /// <summary>Vectors that are averaged.</summary>
    protected int Slots { get; }

    /// <summary>The first replica on this node: it owns what the node's replicas share, and sends shares of it along.</summary>
    protected int Leader { get; private set; }

    /// <summary>Whether this is the node's first replica.</summary>
    protected bool IsLeader => Assignment.Replica == Leader;

    /// <summary>Elements of the layer's parameters.</summary>
    protected int Length => Layer.Parameters.Length;

    /// <summary>The layer.</summary>
    protected Layer Layer => Assignment.Node.Layer;

    /// <summary>The kind of averaging that a job names.</summary>
    public static LayerPeers Of(AveragingChoice choice, LayerAssignment assignment, long generation) => choice switch
    {
        GradientAveraging => new GradientPeers(assignment, generation),
        ParameterAveraging parameters => new ParameterPeers(parameters, assignment, generation),
        _ => throw new ArgumentOutOfRangeException(nameof(choice), choice, "Unknown kind of averaging."),
    };

    /// <summary>Takes what the layer begins with.</summary>
    public abstract void Restore(Restore restore);

    /// <summary>Learns who the peers are.</summary>
    public virtual void Connect(ImmutableArray<Peer> peers)
    {
        _peers = peers;
        var replicas = Enumerable.Range(0, peers.Length).ToList();
        var here = replicas.Where(replica => peers[replica].IsHere).ToList();
        var elsewhere = replicas.Where(replica => !peers[replica].IsHere).ToList();
        Leader = here[0];
        _here = here.Count;
        _othersHere = [.. here.Where(replica => replica != Assignment.Replica).Select(replica => peers[replica].Target)];
        _nodes = [.. elsewhere.Select(replica => peers[replica].Target).Distinct()];
        _elementsElsewhere = elsewhere.Sum(replica => (long)_parts.Of(replica).Length) * Slots;

        // Chunks let sums begin while others still come; within a node there is nothing to wait for.
        var part = _parts.Of(Assignment.Replica);
        _chunks = part.Length == 0 ? [] : elsewhere.Count == 0 ? [part] : _parts.ChunksOf(Assignment.Replica);
    }

    /// <summary>A share of the newest round's parameters for somebody who keeps it: the next round leaves it as it is.</summary>
    public abstract Parameters Snapshot();

    /// <summary>
    /// This peer's part of the layer's state, of what nobody else contributes: as shares where it is left as it is, else
    /// as copies. Asked while the layer is not busy.
    /// </summary>
    /// <param name="parametersOnly">Whether nothing but the newest round's parameters is wanted.</param>
    /// <param name="trainsOn">Whether the layer goes on, and writes what it updates in place.</param>
    public abstract IEnumerable<(StateVector Vector, int Start, Tensor Value)> Capture(bool parametersOnly, bool trainsOn);

    /// <summary>The layer's own gradient of a step is complete.</summary>
    /// <param name="step">Which step.</param>
    /// <param name="gradient">Borrowed: it may be written again once the peers are no longer busy.</param>
    /// <param name="examples">Examples of the replica's slice of the step.</param>
    public abstract void Begin(long step, Parameters gradient, int examples);

    /// <summary>The job ends here: a round that is open is closed.</summary>
    /// <param name="step">The last step.</param>
    public abstract void CloseRound(long step);

    /// <summary>A peer on this node is ready. Takes the message's shares.</summary>
    public void OnReady(PeerReady ready)
    {
        var round = RoundOf(ready.Step);
        round.Add(ready);
        ComputeChunks(round);
    }

    /// <summary>A peer on another node brings its share of a chunk. Takes the tensor.</summary>
    public void OnContribution(Contribution contribution)
    {
        var round = RoundOf(contribution.Step);
        round.Add(contribution);
        ComputeChunks(round);
    }

    /// <summary>A peer on another node has done a chunk. Takes the tensor.</summary>
    public void OnUpdatedChunk(UpdatedChunk chunk)
    {
        using var value = chunk.Value;
        if (!IsLeader || !_rounds.TryGetValue(chunk.Step, out var round) || !round.IsReadyHere
            || chunk.Slot >= Slots || chunk.Start + value.Length > Length)
        {
            throw new InvalidOperationException(
                $"A chunk at element {chunk.Start} ({value}) of step {chunk.Step} has come before anybody here was ready.");
        }

        TakeIn(round, chunk.Slot, chunk.Start, value);
        round.ElementsTaken += value.Length;
        if (round.ElementsTaken == _elementsElsewhere)
        {
            PartDone(new PartUpdated(Generation, chunk.Step, PartUpdated.OtherNodes));
        }
    }

    /// <summary>A part is done.</summary>
    public void OnPartUpdated(PartUpdated updated)
    {
        var round = RoundOf(updated.Step);
        round.PartsDone++;
        if (round.PartsDone < _here + (_elementsElsewhere > 0 ? 1 : 0))
        {
            return;
        }

        _rounds.Remove(updated.Step);
        using (round)
        {
            Finish(round);
        }

        IsBusy = false;
        if (_peers.Length > 1)
        {
            Assignment.Meter.End(Assignment.Replica, Assignment.Node.Index);
        }
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        foreach (var round in _rounds.Values)
        {
            round.Dispose();
        }

        _rounds.Clear();
    }

    /// <summary>Begins an averaging with all peers.</summary>
    /// <param name="step">After which step.</param>
    /// <param name="examples">Examples since the last round.</param>
    /// <param name="ready">Makes a message to a peer on this node.</param>
    protected void BeginRound(long step, long examples, Func<PeerReady> ready)
    {
        IsBusy = true;
        if (_peers.Length > 1)
        {
            Assignment.Meter.Begin(Assignment.Replica, Assignment.Node.Index, step);
        }

        foreach (var peer in _othersHere)
        {
            peer.Tell(ready());
        }

        var own = ready();
        Contribute(own, examples);
        OnReady(own);
    }

    /// <summary>One of the averaged vectors of a peer on this node; borrowed.</summary>
    protected abstract Tensor VectorOf(PeerReady ready, int slot);

    /// <summary>Sums a chunk and computes what follows from it.</summary>
    /// <param name="round">What has come.</param>
    /// <param name="chunk">Which chunk.</param>
    /// <param name="range">Its elements.</param>
    protected abstract void Compute(PeerRound round, int chunk, Slice range);

    /// <summary>The vector that holds what a chunk has become; borrowed.</summary>
    protected abstract Tensor ResultOf(PeerRound round, int slot);

    /// <summary>Takes in a chunk that a peer on another node has computed, for all replicas of this node.</summary>
    protected abstract void TakeIn(PeerRound round, int slot, int start, Tensor value);

    /// <summary>All parts are done.</summary>
    protected abstract void Finish(PeerRound round);

    /// <summary>Shows a step's update to whoever watches, before anything is computed with it.</summary>
    protected void ShowUpdate(long step) =>
        Assignment.Observer?.OnUpdated(step, Assignment.Node, Assignment.RateAt(step), Parameters);

    /// <summary>What the replicas bring to a chunk of one vector, in their order.</summary>
    protected Leaf[] Leaves(PeerRound round, int chunk, int slot) =>
        round.Leaves(chunk, slot, ready => VectorOf(ready, slot));

    /// <summary>The parts of the vector that this node's replicas own.</summary>
    protected IEnumerable<Slice> PartsHere() => Enumerable.Range(0, _peers.Length)
        .Where(replica => _peers[replica].IsHere)
        .Select(_parts.Of)
        .Where(part => part.Length > 0);

    /// <summary>Puts a chunk into parameters and prepares them there.</summary>
    protected void Write(Parameters target, int start, Tensor value)
    {
        value.Floats.CopyTo(target.Vector.Floats[start..]);
        for (var block = start; block < start + value.Length; block += Layer.UpdateBlock)
        {
            Layer.Prepare(target, block, Math.Min(Layer.UpdateBlock, start + value.Length - block));
        }
    }

    /// <summary>A part of a vector as it is now; the caller owns it.</summary>
    /// <param name="vector">The vector; borrowed.</param>
    /// <param name="part">Which elements.</param>
    /// <param name="isWritten">Whether it is going to be written in place.</param>
    protected static Tensor AsItIs(Tensor vector, Slice part, bool isWritten)
    {
        var share = vector.Share(part.Start, new Shape(part.Length));
        return isWritten ? share.ToSole() : share;
    }

    /// <summary>Room for the layer's parameters.</summary>
    protected Parameters Rent() => Parameters.Rent(Assignment.Workspace.Pool, Layer.Parameters, Layer.PackedLength);

    private PeerRound RoundOf(long step)
    {
        // At most two are open: a fast peer may be one averaging ahead.
        if (!_rounds.TryGetValue(step, out var round))
        {
            _rounds.Add(step, round = new PeerRound(step, _peers.Length, _here, _chunks, Slots));
        }

        return round;
    }

    private void Contribute(PeerReady own, long examples)
    {
        for (var owner = 0; owner < _peers.Length; owner++)
        {
            if (_peers[owner].IsHere)
            {
                continue;
            }

            foreach (var chunk in _parts.ChunksOf(owner))
            {
                for (var slot = 0; slot < Slots; slot++)
                {
                    Send(_peers[owner].Target, new Contribution(
                        Generation,
                        own.Step,
                        Assignment.Node.Index,
                        Assignment.Replica,
                        owner,
                        slot,
                        chunk.Start,
                        examples,
                        VectorOf(own, slot).Share(chunk.Start, new Shape(chunk.Length))));
                }
            }
        }
    }

    private void ComputeChunks(PeerRound round)
    {
        if (!round.IsReadyHere)
        {
            return;
        }

        while (round.TryTakeChunk(out var chunk))
        {
            Compute(round, chunk, _chunks[chunk]);
            round.Release(chunk);
            Spread(round, _chunks[chunk]);
            if (round.ChunksLeft == 0)
            {
                PartDone(new PartUpdated(Generation, round.Step, Assignment.Replica));
                return;
            }
        }

        // Whoever owns nothing is done as soon as the others here may read what it brought.
        if (_chunks.IsEmpty)
        {
            PartDone(new PartUpdated(Generation, round.Step, Assignment.Replica));
        }
    }

    private void Spread(PeerRound round, Slice range)
    {
        foreach (var node in _nodes)
        {
            for (var slot = 0; slot < Slots; slot++)
            {
                Send(node, new UpdatedChunk(
                    Generation,
                    round.Step,
                    Assignment.Node.Index,
                    Assignment.Replica,
                    slot,
                    range.Start,
                    ToSend(ResultOf(round, slot), slot, range)));
            }
        }
    }

    // The optimizer's vectors are written by this replica's next step, which waits for nobody: they leave as a copy.
    private static Tensor ToSend(Tensor vector, int slot, Slice range)
    {
        var part = vector.Share(range.Start, new Shape(range.Length));
        return slot == 0 ? part : part.ToSole();
    }

    private void Send(IActorRef link, Contribution contribution)
    {
        Assignment.Meter.Sent((long)contribution.Value.Length * sizeof(float));
        link.Tell(contribution);
    }

    private void Send(IActorRef link, UpdatedChunk chunk)
    {
        Assignment.Meter.Sent((long)chunk.Value.Length * sizeof(float));
        link.Tell(chunk);
    }

    private void PartDone(PartUpdated updated)
    {
        foreach (var peer in _othersHere)
        {
            peer.Tell(updated);
        }

        OnPartUpdated(updated);
    }
}
