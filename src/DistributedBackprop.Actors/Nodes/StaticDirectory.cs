using System.Collections.Immutable;
using Akka.Actor;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>A directory of nodes that neither come nor go: one process alone, or a test.</summary>
public sealed class StaticDirectory : ReceiveActor
{
    /// <summary>Makes the actor.</summary>
    /// <param name="nodes">The nodes.</param>
    public StaticDirectory(ImmutableArray<NodeInfo> nodes) =>
        Receive<WatchNodes>(_ => Sender.Tell(new NodesChanged(nodes)));

    /// <summary>How to make the actor.</summary>
    public static Props Props(ImmutableArray<NodeInfo> nodes) => Akka.Actor.Props.Create(() => new StaticDirectory(nodes));
}
