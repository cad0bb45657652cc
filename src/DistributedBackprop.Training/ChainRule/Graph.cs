using System.Collections.Immutable;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// The network as a directed acyclic graph of layers, in an order in which every layer follows its inputs. The last
/// layer feeds the loss. The same for every replica.
/// </summary>
public sealed class Graph
{
    private Graph(Shape input, ImmutableArray<GraphNode> nodes, ImmutableArray<GraphEdge> inputConsumers)
    {
        Input = input;
        Nodes = nodes;
        InputConsumers = inputConsumers;
    }

    /// <summary>The shape of one example.</summary>
    public Shape Input { get; }

    /// <summary>The shape of the network's output for one example.</summary>
    public Shape Output => Nodes[^1].Layer.OutputShape;

    /// <summary>The layers in graph order.</summary>
    public ImmutableArray<GraphNode> Nodes { get; }

    /// <summary>Who takes the example itself.</summary>
    public ImmutableArray<GraphEdge> InputConsumers { get; }

    /// <summary>Parameters of the whole network.</summary>
    public long ParameterCount => Nodes.Sum(node => (long)node.Layer.Parameters.Length);

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

        var nodes = model.Layers.Select((description, index) => new GraphNode(
            index,
            description,
            layers[index],
            inputs[index],
            ConsumersOf(index, inputs),
            [.. inputs[index].Select(source => source != GraphNode.InputIndex)]));
        return new Graph(model.Input, [.. nodes], ConsumersOf(GraphNode.InputIndex, inputs));
    }

    // In graph order, then by position: the order in which deltas are added.
    private static ImmutableArray<GraphEdge> ConsumersOf(int source, List<ImmutableArray<int>> inputs) =>
    [
        .. from consumer in Enumerable.Range(0, inputs.Count)
           from position in Enumerable.Range(0, inputs[consumer].Length)
           where inputs[consumer][position] == source
           select new GraphEdge(consumer, position),
    ];
}

/// <summary>One layer of a graph and its neighbours.</summary>
/// <param name="Index">Its place in graph order, from 0.</param>
/// <param name="Description">What the job says of it.</param>
/// <param name="Layer">What it computes.</param>
/// <param name="Inputs">The layer behind each input, or <see cref="InputIndex"/>.</param>
/// <param name="Consumers">Who takes the output, in graph order; none for the last layer, which feeds the loss.</param>
/// <param name="InputDeltaWanted">Which input deltas somebody reads: those that go to a layer.</param>
public sealed record GraphNode(
    int Index,
    ModelLayer Description,
    Layer Layer,
    ImmutableArray<int> Inputs,
    ImmutableArray<GraphEdge> Consumers,
    ImmutableArray<bool> InputDeltaWanted)
{
    /// <summary>Stands for the example itself among a layer's inputs.</summary>
    public const int InputIndex = -1;

    /// <summary>The layer's name.</summary>
    public string Name => Description.Name;
}

/// <summary>An edge of a graph, named by where it ends.</summary>
/// <param name="Consumer">The layer that takes the value.</param>
/// <param name="Position">As which of its inputs.</param>
public readonly record struct GraphEdge(int Consumer, int Position);
