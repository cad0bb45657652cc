using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>Who is whose neighbour: turns the graph's edges into links between actors.</summary>
internal static class Wiring
{
    /// <summary>What each actor of a generation must know before it begins.</summary>
    public static IEnumerable<(IActorRef Actor, Connect Links)> Of(
        long generation, Graph graph, ImmutableArray<PipelineRefs> replicas)
    {
        // One list of peers a layer, shared by all of them.
        var peers = graph.Nodes
            .Select(node => replicas.Select(pipeline => pipeline.Layers[node.Index]).ToImmutableArray())
            .ToList();
        foreach (var pipeline in replicas)
        {
            foreach (var node in graph.Nodes)
            {
                yield return (pipeline.Layers[node.Index], new Connect(
                    generation,
                    Forward(graph, node, pipeline),
                    [.. node.Inputs.Select((source, position) => Backward(graph, node, source, position, pipeline))],
                    peers[node.Index]));
            }

            yield return (pipeline.Replica, new Connect(
                generation,
                [.. graph.InputConsumers.Select(edge => new Link(pipeline.Layers[edge.Consumer], edge.Position))],
                [],
                [],
                pipeline.Loss));
            yield return (pipeline.Loss, new Connect(generation, [], [new Link(pipeline.Layers[^1], 0)], [], pipeline.Replica));
        }
    }

    private static ImmutableArray<Link> Forward(Graph graph, GraphNode node, PipelineRefs pipeline) =>
        node.Index == graph.Nodes.Length - 1
            ? [new Link(pipeline.Loss, 0)]
            : [.. node.Consumers.Select(edge => new Link(pipeline.Layers[edge.Consumer], edge.Position))];

    private static Link? Backward(Graph graph, GraphNode node, int source, int position, PipelineRefs pipeline) =>
        source == GraphNode.InputIndex
            ? null
            : new Link(pipeline.Layers[source], graph.Nodes[source].Consumers.IndexOf(new GraphEdge(node.Index, position)));
}
