using Akka.Actor;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>What a node's agent knows of, and tells, the process that it lives in. Called from the agent's thread.</summary>
public interface INodeLife
{
    /// <summary>What the node says of itself; complete once its ports are open.</summary>
    NodeDescription Description { get; }

    /// <summary>A directory has asked: one of those to tell when the node wants to go.</summary>
    void OnDirectory(IActorRef directory);

    /// <summary>The cluster will not have this node: its process is to end.</summary>
    /// <param name="reason">For people.</param>
    void OnRefused(string reason);
}

/// <summary>A node that belongs to no cluster: nobody asks it anything.</summary>
/// <param name="description">What it says of itself.</param>
public sealed class LoneNode(NodeDescription description) : INodeLife
{
    /// <inheritdoc/>
    public NodeDescription Description => description;

    /// <inheritdoc/>
    public void OnDirectory(IActorRef directory)
    {
    }

    /// <inheritdoc/>
    public void OnRefused(string reason)
    {
    }
}

/// <summary>Answers the node directory on behalf of a node's agent.</summary>
/// <param name="life">The process.</param>
internal sealed class NodeDoor(INodeLife life)
{
    /// <summary>The directory asks what this node is.</summary>
    public void Describe(IActorRef directory, IActorRef agent)
    {
        life.OnDirectory(directory);
        directory.Tell(new NodeDescribed(life.Description), agent);
    }

    /// <summary>The directory will not have this node.</summary>
    public void Refuse(NodeRefused refused) => life.OnRefused(refused.Reason);
}
