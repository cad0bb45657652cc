using System.Collections.Immutable;
using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Averaging;

/// <summary>
/// What has come of one averaging: the shares of the peers on this node, the contributions of those on others to the
/// chunks of the own part, and which parts are done. It owns what has come until disposed.
/// </summary>
internal sealed class PeerRound : IDisposable
{
    private readonly ImmutableArray<Slice> _chunks;
    private readonly PeerReady?[] _ready;
    private readonly Tensor?[][] _contributions;
    private readonly int[] _contributed;
    private readonly long[] _examples;
    private readonly int _slots;
    private readonly bool[] _isDone;
    private int _hereMissing;

    /// <param name="step">After which step.</param>
    /// <param name="peers">How many peers there are.</param>
    /// <param name="here">How many of them are on this node.</param>
    /// <param name="chunks">The own part's.</param>
    /// <param name="slots">Vectors that are averaged.</param>
    public PeerRound(long step, int peers, int here, ImmutableArray<Slice> chunks, int slots)
    {
        Step = step;
        _chunks = chunks;
        _slots = slots;
        _hereMissing = here;
        _ready = new PeerReady?[peers];
        _examples = new long[peers];
        _contributed = new int[chunks.Length];
        _isDone = new bool[chunks.Length];
        _contributions = peers == here ? [] : [.. chunks.Select(_ => new Tensor?[peers * slots])];
        Elsewhere = peers - here;
    }

    /// <summary>After which step.</summary>
    public long Step { get; }

    /// <summary>Parts that are done, those of the peers on other nodes counted as one.</summary>
    public int PartsDone { get; set; }

    /// <summary>Elements taken in from peers on other nodes.</summary>
    public long ElementsTaken { get; set; }

    /// <summary>Chunks of the own part that are not done.</summary>
    public int ChunksLeft => _isDone.Count(isDone => !isDone);

    /// <summary>Examples of each replica since the last round.</summary>
    public IReadOnlyList<long> Examples => _examples;

    private int Elsewhere { get; }

    /// <summary>The message of a peer on this node.</summary>
    public PeerReady this[int replica] => _ready[replica]!;

    /// <summary>The messages of the peers on this node.</summary>
    public IEnumerable<PeerReady> Here => _ready.OfType<PeerReady>();

    /// <summary>Whether all peers of this node are ready.</summary>
    public bool IsReadyHere => _hereMissing == 0;

    /// <summary>Keeps a message of a peer on this node, and its shares.</summary>
    public void Add(PeerReady ready)
    {
        if (_ready[ready.Replica] is not null)
        {
            ready.Dispose();
            throw new InvalidOperationException($"Replica {ready.Replica} was ready for step {ready.Step} twice.");
        }

        _ready[ready.Replica] = ready;
        _examples[ready.Replica] = (ready as ParametersReady)?.Examples ?? 0;
        _hereMissing--;
    }

    /// <summary>Keeps what a peer on another node brings to a chunk.</summary>
    public void Add(Contribution contribution)
    {
        var chunk = IndexOf(contribution);
        var place = (contribution.Replica * _slots) + contribution.Slot;
        if (chunk < 0 || _contributions[chunk][place] is not null)
        {
            contribution.Value.Dispose();
            throw new InvalidOperationException(
                $"A contribution of replica {contribution.Replica} at element {contribution.Start} ({contribution.Value}) is of no chunk here, or came twice.");
        }

        _contributions[chunk][place] = contribution.Value;
        _contributed[chunk]++;
        _examples[contribution.Replica] = contribution.Examples;
    }

    /// <summary>Takes a chunk of which everything is there and that is not done.</summary>
    public bool TryTakeChunk(out int chunk)
    {
        for (chunk = 0; IsReadyHere && chunk < _chunks.Length; chunk++)
        {
            if (!_isDone[chunk] && _contributed[chunk] == Elsewhere * _slots)
            {
                _isDone[chunk] = true;
                return true;
            }
        }

        return false;
    }

    /// <summary>What all replicas bring to a chunk of one vector, in their order.</summary>
    /// <param name="chunk">Which chunk.</param>
    /// <param name="slot">Which vector.</param>
    /// <param name="here">The vector of a peer on this node.</param>
    public Leaf[] Leaves(int chunk, int slot, Func<PeerReady, Tensor> here) =>
    [
        .. Enumerable.Range(0, _ready.Length).Select(replica => _ready[replica] is { } ready
            ? new Leaf(here(ready))
            : new Leaf(_contributions[chunk][(replica * _slots) + slot]!, _chunks[chunk].Start)),
    ];

    /// <summary>Gives up what came for a chunk from other nodes.</summary>
    public void Release(int chunk)
    {
        if (_contributions.Length > 0)
        {
            foreach (var tensor in _contributions[chunk])
            {
                tensor?.Dispose();
            }

            Array.Clear(_contributions[chunk]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var ready in _ready)
        {
            ready?.Dispose();
        }

        for (var chunk = 0; chunk < _contributions.Length; chunk++)
        {
            Release(chunk);
        }
    }

    private int IndexOf(Contribution contribution)
    {
        if (contribution.Slot >= _slots || contribution.Slot < 0 || _contributions.Length == 0)
        {
            return -1;
        }

        for (var chunk = 0; chunk < _chunks.Length; chunk++)
        {
            if (_chunks[chunk].Start == contribution.Start && _chunks[chunk].Length == contribution.Value.Length)
            {
                return chunk;
            }
        }

        return -1;
    }
}
