using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;

namespace DistributedBackprop.Training.Explain;

/// <summary>
/// What layers did with one step's examples: forward, backward, update, as they did it. Whoever watches them fills it in;
/// afterwards it is only read.
/// </summary>
/// <param name="graph">The network.</param>
public sealed class RecordedPass(Graph graph)
{
    private readonly List<PassMoment> _moments = [];

    /// <summary>The network.</summary>
    public Graph Graph { get; } = graph;

    /// <summary>What each layer did, in graph order.</summary>
    public ImmutableArray<RecordedLayer> Layers { get; } = [.. graph.Nodes.Select(node => new RecordedLayer(node))];

    /// <summary>What happened, in the order in which it happened.</summary>
    public IReadOnlyList<PassMoment> Moments => _moments;

    /// <summary>The examples' features as the network took them, <c>[examples, …]</c>.</summary>
    public float[] Features { get; set; } = [];

    /// <summary>The class of each example.</summary>
    public int[] Labels { get; set; } = [];

    /// <summary>The sum of the examples' losses (and of their elements', where the loss is a mean over these).</summary>
    public double LossSum { get; set; }

    /// <summary>How many examples were judged right.</summary>
    public long Correct { get; set; }

    /// <summary>∂(mean loss)/∂output with which the loss began the way back, <c>[examples, …]</c>.</summary>
    public float[] LossDelta { get; set; } = [];

    /// <summary>How many examples there are.</summary>
    public int Examples => Labels.Length;

    /// <summary>Something happened.</summary>
    public void Add(MomentKind kind, int layer) => _moments.Add(new PassMoment(kind, layer));
}

/// <summary>What one layer did.</summary>
/// <param name="node">Which layer.</param>
public sealed class RecordedLayer(GraphNode node)
{
    /// <summary>Which layer.</summary>
    public GraphNode Node { get; } = node;

    /// <summary>What it sent forward, <c>[examples, …]</c>.</summary>
    public float[] Output { get; set; } = [];

    /// <summary>
    /// The local derivative that its pullback kept, an element for each of the output's; null where it passes each element
    /// on as it is, or where elements depend on each other (softmax).
    /// </summary>
    public float[]? Derivative { get; set; }

    /// <summary>The deltas that its consumers sent, one for each of the node's output edges.</summary>
    public float[][] DeltaParts { get; set; } = [];

    /// <summary>Their sum: ∂loss/∂output, the layer's entry of the table.</summary>
    public float[] Delta { get; set; } = [];

    /// <summary>∂loss/∂(each of its parameters), as one vector.</summary>
    public float[] Gradient { get; set; } = [];

    /// <summary>Its parameters before the update, as one vector.</summary>
    public float[] Before { get; set; } = [];

    /// <summary>Its parameters after the update.</summary>
    public float[] After { get; set; } = [];

    /// <summary>Its learning rate in the step.</summary>
    public double Rate { get; set; }
}

/// <summary>Something that happened.</summary>
/// <param name="Kind">What.</param>
/// <param name="Layer">To which layer; of the loss: to none, −1.</param>
public readonly record struct PassMoment(MomentKind Kind, int Layer);

/// <summary>What can happen to a layer in a step.</summary>
public enum MomentKind
{
    /// <summary>It computed its output and kept its pullback.</summary>
    Forward,

    /// <summary>The loss judged the network's output.</summary>
    Loss,

    /// <summary>Its delta was put together from what its consumers sent.</summary>
    Delta,

    /// <summary>Its pullback turned the delta into the gradient and the deltas of its inputs.</summary>
    Gradient,

    /// <summary>It updated its parameters.</summary>
    Update,
}
