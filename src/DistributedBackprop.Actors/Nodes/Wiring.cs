using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>Who is whose neighbour: turns the graph's edges into references to actors here and links to other nodes.</summary>
/// <param name="scope">What runs where.</param>
/// <param name="here">The actors of this node.</param>
/// <param name="linkTo">The link to another node.</param>
internal sealed class Wiring(GenerationScope scope, LocalActors here, Func<string, IActorRef> linkTo)
{
    private Graph Graph => scope.Graph;

    /// <summary>What each actor of this node must know before it begins, in the order of replicas and the graph.</summary>
    public IEnumerable<(IActorRef Actor, Connect Links)> All()
    {
        var generation = scope.Prepare.Generation;

        // One list of peers a layer, shared by its replicas here.
        var peers = scope.Layers.Select(here => here.Layer).Distinct().ToDictionary(layer => layer, layer => PeersOf(Graph.Nodes[layer]));
        foreach (var (replica, layer) in scope.Layers)
        {
            var node = Graph.Nodes[layer];
            yield return (here.Layers[(replica, layer)], new Connect(
                generation,
                [.. node.OutputEdges.Select(edge => new Link(Consumer(replica, Graph.Edges[edge]), edge))],
                [.. node.Inputs.Select((_, position) => Backward(replica, node.FirstEdge + position))],
                peers[layer]));
        }

        foreach (var (replica, actor) in here.Replicas.OrderBy(pair => pair.Key))
        {
            yield return (actor, new Connect(
                generation,
                [.. Graph.InputEdges.Select(edge => new Link(Consumer(replica, Graph.Edges[edge]), edge))],
                [],
                [],
                LossOf(replica)));
        }

        foreach (var (replica, actor) in here.Losses.OrderBy(pair => pair.Key))
        {
            yield return (actor, new Connect(
                generation, [], [Backward(replica, Graph.LossEdge)], [], ReplicaOf(replica)));
        }
    }

    private ImmutableArray<Peer> PeersOf(GraphNode node) =>
    [
        .. Enumerable.Range(0, scope.Parallelism.Replicas).Select(replica => new Peer(
            PeerOf(replica, node), here.Layers.ContainsKey((replica, node.Index)))),
    ];

    // A layer without parameters has nothing to say to its peers.
    private IActorRef PeerOf(int replica, GraphNode node) =>
        here.Layers.GetValueOrDefault((replica, node.Index))
        ?? (node.Layer.Parameters.Length == 0 ? ActorRefs.Nobody : linkTo(scope.NodeOf(replica, node.Index)));

    private Link? Backward(int replica, int edge) => Graph.Edges[edge].Source == GraphNode.InputIndex
        ? null
        : new Link(LayerOf(replica, Graph.Edges[edge].Source), edge);

    private IActorRef Consumer(int replica, GraphEdge edge) =>
        edge.Consumer == GraphEdge.Loss ? LossOf(replica) : LayerOf(replica, edge.Consumer);

    private IActorRef LayerOf(int replica, int layer) =>
        here.Layers.GetValueOrDefault((replica, layer)) ?? linkTo(scope.NodeOf(replica, layer));

    private IActorRef LossOf(int replica) =>
        here.Losses.GetValueOrDefault(replica) ?? linkTo(scope.Prepare.Placement[replica, scope.Parallelism.Stages - 1]);

    private IActorRef ReplicaOf(int replica) =>
        here.Replicas.GetValueOrDefault(replica) ?? linkTo(scope.Prepare.Placement[replica, 0]);
}
