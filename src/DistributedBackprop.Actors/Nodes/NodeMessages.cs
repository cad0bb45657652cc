using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>A node is told to make the actors of a generation.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Job">The job.</param>
/// <param name="Graph">Its network.</param>
/// <param name="Data">Its examples.</param>
/// <param name="Initial">Parameters to begin with, by full name (<c>layer.parameter</c>); null for fresh ones.</param>
public sealed record PrepareGeneration(
    long Generation, TrainingJob Job, Graph Graph, DataSet Data, ImmutableDictionary<string, float[]>? Initial)
    : IGenerationMessage, INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="PrepareGeneration"/>: who does what.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Replicas">One pipeline per replica, in their order.</param>
public sealed record GenerationPrepared(long Generation, ImmutableArray<PipelineRefs> Replicas)
    : IGenerationMessage, INoSerializationVerificationNeeded;

/// <summary>The actors of one replica.</summary>
/// <param name="Replica">The near end.</param>
/// <param name="Layers">The layers in graph order.</param>
/// <param name="Loss">The far end.</param>
public sealed record PipelineRefs(IActorRef Replica, ImmutableArray<IActorRef> Layers, IActorRef Loss)
{
    /// <summary>All of them.</summary>
    public IEnumerable<IActorRef> All => [Replica, .. Layers, Loss];
}

/// <summary>A node is told to end a generation.</summary>
/// <param name="Generation">Which.</param>
public sealed record ReleaseGeneration(long Generation) : IGenerationMessage, INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="ReleaseGeneration"/>: its actors are gone and their tensors returned.</summary>
/// <param name="Generation">Which.</param>
public sealed record GenerationReleased(long Generation) : IGenerationMessage, INoSerializationVerificationNeeded;
