using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>One generation as its job sees it: who takes part, and who has answered what.</summary>
/// <param name="prepare">The order that began it.</param>
/// <param name="reason">Why there is a new one, for people.</param>
internal sealed class JobGeneration(PrepareGeneration prepare, string reason)
{
    private readonly SortedDictionary<string, IActorRef> _actors = new(StringComparer.Ordinal);
    private readonly HashSet<string> _begun = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _taken = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, NodeStatistics?> _released = new(StringComparer.Ordinal);
    private readonly HashSet<string> _lost = new(StringComparer.Ordinal);

    /// <summary>The order that began it.</summary>
    public PrepareGeneration Prepare => prepare;

    /// <summary>Which it is.</summary>
    public long Number => prepare.Generation;

    /// <summary>Why there is a new one, for people.</summary>
    public string Reason => reason;

    /// <summary>Its nodes, each with the actor of the generation; all once prepared.</summary>
    public ImmutableArray<Member> Members =>
        [.. prepare.Members.Where(member => _actors.ContainsKey(member.Name)).Select(member => member with { Actor = _actors[member.Name] })];

    /// <summary>Whether all nodes are prepared.</summary>
    public bool IsPrepared => _actors.Count == prepare.Members.Length;

    /// <summary>Whether the layers of all nodes are connected.</summary>
    public bool HasBegun => _begun.Count == prepare.Members.Length;

    /// <summary>Whether all nodes have released it.</summary>
    public bool IsReleased => _released.Count == prepare.Members.Length;

    /// <summary>Whether all nodes have released it, but for those that are lost.</summary>
    public bool IsReleasedByOthers => prepare.Members.All(member => _released.ContainsKey(member.Name) || _lost.Contains(member.Name));

    /// <summary>What it did, as far as its nodes have told.</summary>
    public GenerationStatistics Statistics =>
        new(Number, prepare.AfterStep, reason, [.. _released.Values.OfType<NodeStatistics>()]);

    /// <summary>The nodes that have not answered the newest order.</summary>
    public IEnumerable<string> Silent => prepare.Members
        .Select(member => member.Name)
        .Where(name => !(IsPrepared ? _begun.Contains(name) : _actors.ContainsKey(name)));

    /// <summary>The nodes that have not released it and are not known to be gone.</summary>
    public ImmutableArray<string> Unreleased =>
        [.. prepare.Members.Select(member => member.Name).Where(name => !_released.ContainsKey(name))];

    /// <summary>A node is prepared. Returns whether that is new.</summary>
    public bool OnPrepared(string node, IActorRef actor)
    {
        var isNew = IsMember(node) && !_actors.ContainsKey(node);
        if (IsMember(node))
        {
            _actors[node] = actor;
        }

        return isNew;
    }

    /// <summary>A node has taken in so much of its state. Returns whether that is more than before.</summary>
    public bool OnTaken(string node, long elements)
    {
        var isMore = IsMember(node) && elements > _taken.GetValueOrDefault(node);
        if (isMore)
        {
            _taken[node] = elements;
        }

        return isMore;
    }

    /// <summary>The layers of a node are connected. Returns whether that is new.</summary>
    public bool OnBegun(string node) => IsMember(node) && _begun.Add(node);

    /// <summary>A node has released it, or is lost and not waited for.</summary>
    /// <param name="node">Which.</param>
    /// <param name="statistics">What it did; null where it is lost.</param>
    public void OnReleased(string node, NodeStatistics? statistics)
    {
        if (IsMember(node))
        {
            _released[node] = statistics ?? _released.GetValueOrDefault(node);
        }
    }

    /// <summary>A node is lost. It may be alive all the same, where only a connection of it is broken.</summary>
    public void OnLost(string node)
    {
        if (IsMember(node))
        {
            _lost.Add(node);
        }
    }

    /// <summary>Tells the nodes to prepare; once all are prepared, to begin. Whoever has done so already answers again.</summary>
    public void TellAgain()
    {
        if (IsPrepared)
        {
            TellActors([new BeginGeneration(Number, Members)]);
        }
        else
        {
            TellAgents(prepare);
        }
    }

    /// <summary>
    /// Tells the agents of all nodes that have not said that they released it; also those that are lost: where only a
    /// connection broke, the node lives, and must not keep its layers.
    /// </summary>
    public void TellAgents(object message)
    {
        foreach (var member in prepare.Members.Where(member => _released.GetValueOrDefault(member.Name) is null))
        {
            member.Actor.Tell(message);
        }
    }

    /// <summary>Tells the generation's actors on all nodes.</summary>
    public void TellActors(IEnumerable<object> messages)
    {
        foreach (var message in messages)
        {
            foreach (var actor in _actors.Values)
            {
                actor.Tell(message);
            }
        }
    }

    /// <summary>Its nodes that are no members any more.</summary>
    public IEnumerable<string> Gone(NodesChanged changed) => prepare.Members
        .Select(member => member.Name)
        .Where(name => !_released.ContainsKey(name) && changed.Nodes.All(node => node.Name != name))
        .ToList();

    /// <summary>Its nodes that do not answer the directory.</summary>
    public IEnumerable<string> Unreachable(NodesChanged changed) => changed.Nodes
        .Where(node => node.Presence == NodePresence.Unreachable && IsMember(node.Name))
        .Select(node => node.Name)
        .ToList();

    /// <summary>Whether a node takes part.</summary>
    public bool IsMember(string node) => prepare.Members.Any(member => member.Name == node);
}

/// <summary>What one generation of a job did.</summary>
/// <param name="Generation">Which.</param>
/// <param name="AfterStep">The last step trained before it.</param>
/// <param name="Reason">Why it began, for people.</param>
/// <param name="Nodes">What its nodes did, in the order of their names.</param>
public sealed record GenerationStatistics(
    long Generation, long AfterStep, string Reason, ImmutableArray<NodeStatistics> Nodes);
