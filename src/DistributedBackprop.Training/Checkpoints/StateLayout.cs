using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Checkpoints;

/// <summary>
/// Which vectors the state of a job has and how long each is: it follows from the job alone, never from where its layers
/// run.
/// </summary>
public sealed class StateLayout
{
    private readonly Dictionary<StateVector, int> _lengths;

    private readonly Lazy<ContentHash> _hash;

    private StateLayout(Dictionary<StateVector, int> lengths)
    {
        _lengths = lengths;
        _hash = new(() => ManifestHash.Of(this));
    }

    /// <summary>Tells layouts apart: which vectors there are, in which order, and how long.</summary>
    public ContentHash Hash => _hash.Value;

    /// <summary>All vectors: layers in graph order, then slots, then replicas.</summary>
    public IEnumerable<StateVector> Vectors => _lengths.Keys;

    /// <summary>Elements of all vectors.</summary>
    public long Elements => _lengths.Values.Sum(length => (long)length);

    /// <summary>The layout of a job's whole state.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="replicas">How many there are.</param>
    /// <param name="averagesParameters">Whether replicas have parameters of their own.</param>
    /// <param name="optimizerSlots">Vectors that the optimizer keeps for each layer.</param>
    public static StateLayout Of(Graph graph, int replicas, bool averagesParameters, int optimizerSlots)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var lengths = new Dictionary<StateVector, int>();
        foreach (var node in graph.Nodes.Where(node => node.Layer.Parameters.Length > 0))
        {
            var length = node.Layer.Parameters.Length;
            lengths.Add(new StateVector(node.Index, 0, StateSlot.Parameters), length);
            if (averagesParameters)
            {
                lengths.Add(new StateVector(node.Index, 0, StateSlot.OuterMomentum), length);
                for (var replica = 0; replica < replicas; replica++)
                {
                    lengths.Add(new StateVector(node.Index, replica, StateSlot.OwnParameters), length);
                    lengths.Add(new StateVector(node.Index, replica, StateSlot.Counts), ReplicaCounts.Length);
                }
            }

            for (var slot = 0; slot < optimizerSlots; slot++)
            {
                for (var replica = 0; replica < (averagesParameters ? replicas : 1); replica++)
                {
                    lengths.Add(new StateVector(node.Index, replica, StateSlot.Optimizer + slot), length);
                }
            }
        }

        return new StateLayout(lengths);
    }

    /// <summary>A layout of one vector.</summary>
    internal static StateLayout OfOne(StateVector vector, int length) => new(new() { [vector] = length });

    /// <summary>The part that is needed for what is restored or kept without the rest: the parameters alone.</summary>
    public StateLayout ParametersOnly => Where(vector => vector.Slot == StateSlot.Parameters);

    /// <summary>The vectors that meet a condition.</summary>
    public StateLayout Where(Func<StateVector, bool> condition) =>
        new(_lengths.Where(pair => condition(pair.Key)).ToDictionary());

    /// <summary>Whether there is such a vector.</summary>
    public bool Contains(StateVector vector) => _lengths.ContainsKey(vector);

    /// <summary>Elements of a vector; 0 where there is no such vector.</summary>
    public int LengthOf(StateVector vector) => _lengths.GetValueOrDefault(vector);

    /// <summary>What the elements of a vector are.</summary>
    public static ElementType TypeOf(StateVector vector) =>
        vector.Slot == StateSlot.Counts ? ElementType.Int32 : ElementType.Float32;
}
