using System.Collections.Immutable;
using System.Net;
using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// A node is told to prepare its part of a generation: to end what it has of an earlier one, to check its data, and to
/// take the tensors of this one. Sent again, it changes nothing.
/// </summary>
/// <param name="JobId">Which job.</param>
/// <param name="Generation">Which placement of it, from 1.</param>
/// <param name="Job">The job.</param>
/// <param name="DataFingerprint">The fingerprint that the data must have.</param>
/// <param name="TrainExamples">Examples of the training set.</param>
/// <param name="Placement">Which stages run where.</param>
/// <param name="Members">The nodes that take part.</param>
/// <param name="Keeper">Who keeps the job's state: it sends it before the beginning and takes it in at the end.</param>
/// <param name="AfterStep">The last step trained before: 0 for a fresh job.</param>
/// <param name="Origin">What the layers begin with.</param>
public sealed record PrepareGeneration(
    string JobId,
    long Generation,
    TrainingJob Job,
    string DataFingerprint,
    int TrainExamples,
    Placement Placement,
    ImmutableArray<Member> Members,
    Member Keeper,
    long AfterStep,
    StateOrigin Origin) : IGenerationMessage, IWireMessage
{
    /// <summary>The data root of the nodes below which the job's files lie, by its name; empty: the one that has none.</summary>
    public string DataRoot { get; init; } = "";
}

/// <summary>
/// A node that has no part in a job is told that it is to have one in a later generation, while the one before still trains:
/// it reads its data, so that the others need not wait for them. Sent again, it changes nothing.
/// </summary>
/// <param name="Next">What it is to prepare, as far as it can be told; the generation is the one that runs.</param>
public sealed record AnnounceGeneration(PrepareGeneration Next) : IWireMessage;

/// <summary>The answer to <see cref="AnnounceGeneration"/>: whatever can be done before is done.</summary>
/// <param name="Node">Who answers.</param>
public sealed record GenerationExpected(string Node) : IWireMessage;

/// <summary>A process that takes part in a generation.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Tensors">Where it takes tensors; null where there is no network.</param>
/// <param name="Actor">Whom control messages go to.</param>
public sealed record Member(string Name, DnsEndPoint? Tensors, IActorRef Actor);

/// <summary>What the layers of a generation begin with.</summary>
public enum StateOrigin
{
    /// <summary>Fresh parameters: each node draws them itself.</summary>
    Fresh,

    /// <summary>Parameters that the keeper sends; the optimizer begins anew.</summary>
    Parameters,

    /// <summary>The whole state, which the keeper sends.</summary>
    Full,
}

/// <summary>The answer to <see cref="PrepareGeneration"/>; its sender is the actor of the generation.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Node">Who answers.</param>
public sealed record GenerationPrepared(long Generation, string Node) : IGenerationMessage, IWireMessage;

/// <summary>A node cannot take part in a generation.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Node">Who answers.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record GenerationRefused(long Generation, string Node, string Reason) : IGenerationMessage, IWireMessage;

/// <summary>
/// All nodes are prepared: each opens its links, takes in the state that the keeper sends, and makes and connects its
/// layers.
/// </summary>
/// <param name="Generation">Which.</param>
/// <param name="Members">The nodes, each with the actor of the generation.</param>
public sealed record BeginGeneration(long Generation, ImmutableArray<Member> Members) : IGenerationMessage, IWireMessage;

/// <summary>The answer to <see cref="BeginGeneration"/>: the layers are connected.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Node">Who answers.</param>
public sealed record GenerationBegun(long Generation, string Node) : IGenerationMessage, IWireMessage;

/// <summary>The answer to <see cref="BeginGeneration"/> told again, while the state that the keeper sends is on its way.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Node">Who answers.</param>
/// <param name="Elements">How much of it has come, ≥ 0.</param>
public sealed record StateArrives(long Generation, string Node, long Elements) : IGenerationMessage, IWireMessage;

/// <summary>A node is told to end a generation.</summary>
/// <param name="JobId">Of which job.</param>
/// <param name="Generation">Which.</param>
public sealed record ReleaseGeneration(string JobId, long Generation) : IGenerationMessage, IWireMessage;

/// <summary>
/// The answer to <see cref="ReleaseGeneration"/>: the generation's actors are gone, its sends done and its tensors
/// returned.
/// </summary>
/// <param name="Generation">Which.</param>
/// <param name="Node">Who answers.</param>
/// <param name="Statistics">What it did here; null where it never was.</param>
public sealed record GenerationReleased(long Generation, string Node, NodeStatistics? Statistics)
    : IGenerationMessage, IWireMessage;

/// <summary>A link between two nodes is broken: their generation cannot go on.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Node">Who noticed.</param>
/// <param name="Peer">The other end.</param>
/// <param name="Reason">What happened, for people.</param>
public sealed record LinkBroken(long Generation, string Node, string Peer, string Reason) : IGenerationMessage, IWireMessage;
