using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Wire;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// Asks the node directory for the nodes: it answers with <see cref="NodesChanged"/>, now and after every change. The
/// directory is the seam between jobs and whatever knows the members: Akka.Cluster, or a simulation.
/// </summary>
public sealed record WatchNodes : INoSerializationVerificationNeeded;

/// <summary>All nodes as they are now: the whole picture each time, so that none of these may be missed for good.</summary>
/// <param name="Nodes">In the order of their names. A node that is gone is not among them.</param>
public sealed record NodesChanged(ImmutableArray<NodeInfo> Nodes) : INoSerializationVerificationNeeded;

/// <summary>A job tells the directory that a node is dead for certain: nobody listens at its port any more.</summary>
/// <param name="Agent">The node's agent: a node that was started again has another one.</param>
public sealed record NodeIsDead(IActorRef Agent) : INoSerializationVerificationNeeded;

/// <summary>The directory asks a node's agent what it is; sent again until it is answered.</summary>
public sealed record DescribeNode : IWireMessage;

/// <summary>The answer to <see cref="DescribeNode"/>; its sender is the agent.</summary>
/// <param name="Description">The node.</param>
public sealed record NodeDescribed(NodeDescription Description) : IWireMessage;

/// <summary>The directory will not have a node: it ends, and says why.</summary>
/// <param name="Reason">For people.</param>
public sealed record NodeRefused(string Reason) : IWireMessage;

/// <summary>A node asks the directory to be let go; sent again until answered.</summary>
/// <param name="Node">Its name.</param>
public sealed record NodeLeaving(string Node) : IWireMessage;

/// <summary>The answer to <see cref="NodeLeaving"/>: no new work will come; what is there will be handed over.</summary>
/// <param name="Node">Its name.</param>
public sealed record LeavingNoted(string Node) : IWireMessage;
