using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Server.Cluster;

/// <summary>Waits, for the one outside the actors, until the node directory shows what is waited for.</summary>
internal sealed class NodesWatch : ReceiveActor
{
    private readonly IActorRef _directory;

    public NodesWatch(
        IActorRef directory,
        Func<ImmutableArray<NodeInfo>, bool> fits,
        TaskCompletionSource<ImmutableArray<NodeInfo>> found)
    {
        _directory = directory;
        Receive<NodesChanged>(changed =>
        {
            if (fits(changed.Nodes))
            {
                found.TrySetResult(changed.Nodes);
                Context.Stop(Self);
            }
        });
    }

    /// <summary>How to make the actor.</summary>
    public static Props Props(
        IActorRef directory,
        Func<ImmutableArray<NodeInfo>, bool> fits,
        TaskCompletionSource<ImmutableArray<NodeInfo>> found) =>
        Akka.Actor.Props.Create(() => new NodesWatch(directory, fits, found));

    protected override void PreStart() => _directory.Tell(new WatchNodes());
}
