using System.Collections.Immutable;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// The network as a directed acyclic graph of layers, in an order in which every layer follows its inputs. The last
/// layer feeds the loss. The same for every replica.
/// <para>
/// Edges are numbered: the inputs of the first layer, of the second, and so on; the last edge leads to the loss. Messages
/// and frames name the edge that they flow along.
/// </para>
/// </summary>
public sealed class Graph
{
    private Graph(Shape input, ImmutableArray<GraphNode> nodes, ImmutableArray<GraphEdge> edges)
    {
        Input = input;
        Nodes = nodes;
        Edges = edges;
        InputEdges = EdgesFrom(GraphNode.InputIndex, edges);
    }

    /// <summary>The shape of one example.</summary>
    public Shape Input { get; }

    /// <summary>The shape of the network's output for one example.</summary>
    public Shape Output => Nodes[^1].Layer.OutputShape;

    /// <summary>The layers in graph order.</summary>
    public ImmutableArray<GraphNode> Nodes { get; }

    /// <summary>All edges, in the order of the layers that they lead to; the last one leads to the loss.</summary>
    public ImmutableArray<GraphEdge> Edges { get; }

    /// <summary>The edges along which the example itself flows.</summary>
    public ImmutableArray<int> InputEdges { get; }

    /// <summary>The edge from the last layer to the loss.</summary>
    public int LossEdge => Edges.Length - 1;

    /// <summary>Parameters of the whole network.</summary>
    public long ParameterCount => Nodes.Sum(node => (long)node.Layer.Parameters.Length);

    /// <summary>The shape that flows along an edge for one example.</summary>
    public Shape ShapeOf(GraphEdge edge) => edge.Source == GraphNode.InputIndex ? Input : Nodes[edge.Source].Layer.OutputShape;

    /// <summary>Builds the graph of a job's model.</summary>
    /// <param name="model">The model, checked.</param>
    /// <param name="seed">The job's seed: keys dropout.</param>
    public static Graph Of(Model model, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var indexOf = new Dictionary<string, int> { [Model.InputName] = GraphNode.InputIndex };
        var layers = new List<Layer>();
        var inputs = new List<ImmutableArray<int>>();
        foreach (var description in model.Layers)
        {
            var sources = description.Inputs.Select(name => indexOf[name]).ToImmutableArray();
            var shapes = sources.Select(source => source < 0 ? model.Input : layers[source].OutputShape).ToList();
            indexOf.Add(description.Name, layers.Count);
            layers.Add(LayerFactory.Create(description, shapes, seed));
            inputs.Add(sources);
        }

        var edges = Number(inputs);
        var outgoing = edges.Select((edge, index) => (edge.Source, index)).ToLookup(pair => pair.Source, pair => pair.index);
        var nodes = model.Layers.Select((description, index) => new GraphNode(
            index,
            description,
            layers[index],
            inputs[index],
            inputs.Take(index).Sum(sources => sources.Length),
            [.. outgoing[index]],
            [.. inputs[index].Select(source => source != GraphNode.InputIndex)]));
        return new Graph(model.Input, [.. nodes], edges);
    }

    private static ImmutableArray<GraphEdge> Number(List<ImmutableArray<int>> inputs)
    {
        var edges = ImmutableArray.CreateBuilder<GraphEdge>();
        for (var consumer = 0; consumer < inputs.Count; consumer++)
        {
            for (var position = 0; position < inputs[consumer].Length; position++)
            {
                edges.Add(new GraphEdge(inputs[consumer][position], consumer, position));
            }
        }

        edges.Add(new GraphEdge(inputs.Count - 1, GraphEdge.Loss, 0));
        return edges.ToImmutable();
    }

    private static ImmutableArray<int> EdgesFrom(int source, ImmutableArray<GraphEdge> edges) =>
        [.. Enumerable.Range(0, edges.Length).Where(edge => edges[edge].Source == source)];
}

/// <summary>One layer of a graph and its neighbours.</summary>
/// <param name="Index">Its place in graph order, from 0.</param>
/// <param name="Description">What the job says of it.</param>
/// <param name="Layer">What it computes.</param>
/// <param name="Inputs">The layer behind each input, or <see cref="InputIndex"/>.</param>
/// <param name="FirstEdge">The edge of its first input; those of the further ones follow.</param>
/// <param name="OutputEdges">
/// The edges to whoever takes the output: consumers in graph order, then by position (the order in which deltas are
/// added); of the last layer the loss alone.
/// </param>
/// <param name="InputDeltaWanted">Which input deltas somebody reads: those that go to a layer.</param>
public sealed record GraphNode(
    int Index,
    ModelLayer Description,
    Layer Layer,
    ImmutableArray<int> Inputs,
    int FirstEdge,
    ImmutableArray<int> OutputEdges,
    ImmutableArray<bool> InputDeltaWanted)
{
    /// <summary>Stands for the example itself among a layer's inputs.</summary>
    public const int InputIndex = -1;

    /// <summary>The layer's name.</summary>
    public string Name => Description.Name;
}

/// <summary>An edge of a graph.</summary>
/// <param name="Source">The layer whose output flows along it, or <see cref="GraphNode.InputIndex"/>.</param>
/// <param name="Consumer">The layer that takes the value, or <see cref="Loss"/>.</param>
/// <param name="Position">As which of its inputs.</param>
public readonly record struct GraphEdge(int Source, int Consumer, int Position)
{
    /// <summary>Stands for the loss among consumers.</summary>
    public const int Loss = int.MaxValue;
}
