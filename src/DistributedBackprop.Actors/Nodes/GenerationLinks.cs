using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Links;
using DistributedBackprop.Actors.Transport;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>The links of a generation on one node to other nodes and to the keeper.</summary>
/// <param name="context">Whose children they are.</param>
/// <param name="node">What the node has.</param>
/// <param name="scope">What runs here.</param>
internal sealed class GenerationLinks(IActorContext context, NodeEquipment node, GenerationScope scope)
{
    private readonly SortedDictionary<string, IActorRef> _links = new(StringComparer.Ordinal);
    private readonly HashSet<string> _open = new(StringComparer.Ordinal);
    private readonly ImmutableArray<LinkStatistics>.Builder _statistics = ImmutableArray.CreateBuilder<LinkStatistics>();

    /// <summary>Whether all of them stand.</summary>
    public bool AreOpen => _open.Count == _links.Count;

    /// <summary>Whether none is left.</summary>
    public bool AreGone => _links.Count == 0;

    /// <summary>What those that are closed have sent.</summary>
    public ImmutableArray<LinkStatistics> Statistics => _statistics.ToImmutable();

    /// <summary>The actors.</summary>
    public IEnumerable<IActorRef> Actors => _links.Values;

    /// <summary>Whom state is sent to: the link to the keeper, or the keeper itself where it is in this process.</summary>
    public IActorRef Keeper => KeeperIsRemote ? _links[JobKeeper.Name] : scope.Prepare.Keeper.Actor;

    private bool KeeperIsRemote => node.Plane is not null
        && scope.Prepare.Keeper.Tensors is { } keeper
        && !keeper.Equals(node.Description.Tensors);

    /// <summary>The link to a node.</summary>
    public IActorRef To(string name) => _links[name];

    /// <summary>Opens all that the placement asks for.</summary>
    /// <param name="begin">Who is to be linked to.</param>
    public void Open(BeginGeneration begin)
    {
        var members = begin.Members.ToDictionary(member => member.Name);
        foreach (var name in scope.Neighbours())
        {
            Open(members[name], JobHash.Of(scope.Prepare.JobId));
        }

        if (KeeperIsRemote)
        {
            Open(scope.Prepare.Keeper, JobKeeper.HashOf(scope.Prepare.JobId));
        }
    }

    /// <summary>One of them stands.</summary>
    public void OnOpened(LinkOpened opened) => _open.Add(opened.Peer);

    /// <summary>Closes all; each says what it has sent, and stops once it holds nothing.</summary>
    public void Close()
    {
        foreach (var link in _links.Values)
        {
            context.Watch(link);
            link.Tell(new CloseLink());
        }
    }

    /// <summary>One of them has said its last word.</summary>
    public void OnClosed(LinkClosed closed) => _statistics.Add(new LinkStatistics(
        closed.Peer,
        closed.Bytes[Flow.Activation],
        closed.Bytes[Flow.Delta],
        closed.Bytes[Flow.Averaging],
        closed.Bytes[Flow.State]));

    /// <summary>One of them is gone.</summary>
    public void Remove(IActorRef link)
    {
        foreach (var name in _links.Where(pair => pair.Value.Equals(link)).Select(pair => pair.Key).ToList())
        {
            _links.Remove(name);
        }
    }

    private void Open(Member peer, ulong job)
    {
        var link = context.ActorOf(
            LinkActor.Props(node.Plane!, peer.Name, peer.Tensors!, job).WithDispatcher(LayerThreads.LinkDispatcher),
            $"link-{_links.Count}");
        link.Tell(new LinkTo(peer.Actor));
        _links.Add(peer.Name, link);
    }
}
