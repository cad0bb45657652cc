using Akka.Actor;
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
internal sealed record GenerationBroken(long Generation, string Reason) : INoSerializationVerificationNeeded;

/// <summary>A job asks for the state of all layers.</summary>
/// <param name="Generation">Of which generation.</param>
/// <param name="AfterStep">After which step: no later one was granted.</param>
/// <param name="ParametersOnly">Whether only parameters are wanted: the end of a job.</param>
internal sealed record CaptureAll(long Generation, long AfterStep, bool ParametersOnly) : INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="CaptureAll"/>.</summary>
/// <param name="Generation">Of which generation.</param>
/// <param name="State">The state, complete; the receiver owns it.</param>
internal sealed record AllCaptured(long Generation, TrainingState State) : INoSerializationVerificationNeeded;

/// <summary>A job ends a generation; the answer is <see cref="GenerationOver"/>.</summary>
/// <param name="Generation">Which.</param>
internal sealed record EndGeneration(long Generation) : INoSerializationVerificationNeeded;

/// <summary>The last word of a generation: all its nodes have released it, or are gone.</summary>
/// <param name="Generation">Which.</param>
/// <param name="Statistics">What it did.</param>
internal sealed record GenerationOver(long Generation, GenerationStatistics Statistics) : INoSerializationVerificationNeeded;

/// <summary>A job tells its coordinator that it begins a generation: its number is never used again.</summary>
/// <param name="JobId">Which job.</param>
/// <param name="Generation">Which placement of it.</param>
internal sealed record GenerationBegins(string JobId, long Generation) : INoSerializationVerificationNeeded;

/// <summary>A job tells its coordinator that it is over, before its watcher hears it: who does may hand it in again.</summary>
/// <param name="JobId">Which job.</param>
internal sealed record JobEnds(string JobId) : INoSerializationVerificationNeeded;
