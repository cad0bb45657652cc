using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>A message of one generation of a job. Receivers drop those of another generation.</summary>
public interface IGenerationMessage
{
    /// <summary>The placement this belongs to, from 1.</summary>
    long Generation { get; }
}

/// <summary>A small message to an actor of one replica, which may run on another node.</summary>
public interface IReplicaMessage : IGenerationMessage, IWireMessage
{
    /// <summary>Which replica, from 0.</summary>
    int Replica { get; }
}

/// <summary>A value flows forward along an edge. Its receiver owns the tensor.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Key">Which micro-batch.</param>
/// <param name="Replica">In which replica.</param>
/// <param name="Edge">Along which edge of the graph.</param>
/// <param name="FirstPosition">The position of its first example in the step's minibatch over all replicas.</param>
/// <param name="Value"><c>[examples, …]</c>.</param>
public sealed record Activation(long Generation, MicroBatchKey Key, int Replica, int Edge, int FirstPosition, Tensor Value)
    : IGenerationMessage, INoSerializationVerificationNeeded;

/// <summary>A delta flows backward along an edge: ∂loss/∂(the receiver's output), its part by one consumer.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Key">Which micro-batch.</param>
/// <param name="Replica">In which replica.</param>
/// <param name="Edge">Along which edge of the graph, against its direction.</param>
/// <param name="Value"><c>[examples, …]</c>, shaped as the receiver's output; the receiver owns it.</param>
public sealed record Delta(long Generation, MicroBatchKey Key, int Replica, int Edge, Tensor Value)
    : IGenerationMessage, INoSerializationVerificationNeeded;

/// <summary>The loss is told what the network should have said of a micro-batch.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Key">Which micro-batch.</param>
/// <param name="Replica">Of which replica.</param>
/// <param name="Labels">The class of each example; the receiver owns it.</param>
/// <param name="StepExamples">Examples of the whole step over all replicas.</param>
/// <param name="IsLast">Whether no further micro-batch of this replica's step (or evaluation) follows.</param>
public sealed record Targets(long Generation, MicroBatchKey Key, int Replica, Tensor Labels, int StepExamples, bool IsLast)
    : IGenerationMessage, INoSerializationVerificationNeeded;

/// <summary>The loss has judged a micro-batch.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Key">Which micro-batch.</param>
/// <param name="Replica">Of which replica.</param>
/// <param name="LossSum">The chain of the replica's losses so far in this step or evaluation.</param>
/// <param name="Correct">How many examples of it were judged right.</param>
public sealed record Judged(long Generation, MicroBatchKey Key, int Replica, double LossSum, long Correct)
    : IReplicaMessage;

/// <summary>
/// A loss that is not finite looks for where that began: a layer whose inputs were finite reports itself, another asks
/// the layers before it.
/// </summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Key">Which micro-batch.</param>
/// <param name="Replica">In which replica.</param>
/// <param name="Edge">Along which edge it looks back.</param>
public sealed record TraceNonFinite(long Generation, MicroBatchKey Key, int Replica, int Edge) : IReplicaMessage;

/// <summary>An actor learns its neighbours and answers with <see cref="Connected"/>.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Forward">Where its output goes, edge by edge.</param>
/// <param name="Backward">Where the delta of each input goes; null where it is wanted by nobody.</param>
/// <param name="Peers">The same layer in every replica, in their order; of a layer only.</param>
/// <param name="OtherEnd">The other end of the replica: its loss for the replica, the replica for its loss.</param>
public sealed record Connect(
    long Generation,
    ImmutableArray<Link> Forward,
    ImmutableArray<Link?> Backward,
    ImmutableArray<Peer> Peers,
    IActorRef? OtherEnd = null) : IGenerationMessage, INoSerializationVerificationNeeded;

/// <summary>One end of an edge: the neighbour itself, or the link that carries tensors to its node.</summary>
/// <param name="Target">Who gets the message.</param>
/// <param name="Edge">Which edge of the graph.</param>
public sealed record Link(IActorRef Target, int Edge);

/// <summary>The same layer in one of the replicas: itself, or the link that carries tensors to its node.</summary>
/// <param name="Target">Who gets the message.</param>
/// <param name="IsHere">Whether it runs on this node, where peers share memory.</param>
public sealed record Peer(IActorRef Target, bool IsHere);

/// <summary>The answer to <see cref="Connect"/>.</summary>
/// <param name="Generation">The placement this belongs to.</param>
public sealed record Connected(long Generation) : IGenerationMessage, INoSerializationVerificationNeeded;

/// <summary>An actor gives up its generation: it drops what it holds and whatever still comes.</summary>
/// <param name="Generation">The placement this belongs to.</param>
public sealed record Abandon(long Generation) : IGenerationMessage, INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="Abandon"/>: from now on the sender sends nothing.</summary>
/// <param name="Generation">The placement this belongs to.</param>
public sealed record Abandoned(long Generation) : IGenerationMessage, INoSerializationVerificationNeeded;
