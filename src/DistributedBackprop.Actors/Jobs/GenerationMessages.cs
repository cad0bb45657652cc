using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>A generation tells its job: the layers of all nodes are connected.</summary>
/// <param name="Generation">Which.</param>
internal sealed record GenerationUp(long Generation) : INoSerializationVerificationNeeded;

/// <summary>A generation tells its job: a node will not take part. What it has is to be released.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Node">Which node.</param>
/// <param name="Reason">Why, for people.</param>
internal sealed record NodeRefusedJob(long Generation, string Node, string Reason) : INoSerializationVerificationNeeded;

/// <summary>A generation tells its job: it cannot go on.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="LostNode">The node that seems to be lost; null where that is not known.</param>
/// <param name="IsFinal">Whether every other generation would break for the same reason.</param>
internal sealed record GenerationBroken(long Generation, string Reason, string? LostNode = null, bool IsFinal = false)
    : INoSerializationVerificationNeeded;

/// <summary>A job asks for the state of all layers after a step that none of them has passed.</summary>
/// <param name="Generation">Of which generation.</param>
/// <param name="AfterStep">After which step.</param>
/// <param name="ParametersOnly">Whether only parameters are wanted: the end of a job.</param>
/// <param name="TrainsOn">Whether training goes on; else the job waits for the state.</param>
internal sealed record CaptureAll(long Generation, long AfterStep, bool ParametersOnly, bool TrainsOn)
    : INoSerializationVerificationNeeded;

/// <summary>All layers know that they are asked: steps beyond it may be granted.</summary>
/// <param name="Generation">Of which generation.</param>
/// <param name="AfterStep">After which step.</param>
internal sealed record AllNoted(long Generation, long AfterStep) : INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="CaptureAll"/>.</summary>
/// <param name="Generation">Of which generation.</param>
/// <param name="AfterStep">After which step.</param>
/// <param name="ParametersOnly">Whether nothing but parameters was asked for: the end of a job.</param>
/// <param name="State">The state, complete; the receiver owns it.</param>
internal sealed record AllCaptured(long Generation, long AfterStep, bool ParametersOnly, TrainingState State)
    : INoSerializationVerificationNeeded;

/// <summary>A job ends a generation; the answer is <see cref="GenerationOver"/>.</summary>
/// <param name="Generation">Which.</param>
/// <param name="IsBroken">Whether some of its nodes may not answer: they are not waited for long.</param>
internal sealed record EndGeneration(long Generation, bool IsBroken) : INoSerializationVerificationNeeded;

/// <summary>The last word of a generation: its nodes have released it, are gone, or are silent.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Statistics">What it did.</param>
/// <param name="Silent">The nodes that have not said that they released it.</param>
internal sealed record GenerationOver(long Generation, GenerationStatistics Statistics, ImmutableArray<string> Silent)
    : INoSerializationVerificationNeeded;

/// <summary>What trying to reach a node that seems to be lost has shown.</summary>
/// <param name="Agent">The node's agent.</param>
/// <param name="Outcome">What.</param>
internal sealed record NodeProbed(IActorRef Agent, ProbeOutcome Outcome) : INoSerializationVerificationNeeded;

/// <summary>A job tells its coordinator that it begins a generation: its number is never used again.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Generation">Which placement of it.</param>
internal sealed record GenerationBegins(string JobId, long Generation) : INoSerializationVerificationNeeded;

/// <summary>A job tells its coordinator that it is over, before its watcher hears it: who does may hand it in again.</summary>
/// <param name="JobId">Which job.</param>
internal sealed record JobEnds(string JobId) : INoSerializationVerificationNeeded;

/// <summary>
/// A job that is over tells its coordinator of nodes that did not answer when its last generations ended: they may be alive,
/// and are to give up what they keep.
/// </summary>
/// <param name="JobId">Which job.</param>
/// <param name="Generation">Its last generation.</param>
/// <param name="Agents">The nodes' agents.</param>
internal sealed record NodesLeftBehind(string JobId, long Generation, ImmutableArray<IActorRef> Agents)
    : INoSerializationVerificationNeeded;
