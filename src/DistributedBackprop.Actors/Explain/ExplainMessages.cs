using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Explain;

namespace DistributedBackprop.Actors.Explain;

/// <summary>What is to be shown: a job is trained for some steps, then one more step is watched, once for each set of examples.</summary>
/// <param name="Training">The job as it is.</param>
/// <param name="Steps">How many steps of it are trained first, ≥ 0.</param>
/// <param name="Watched">
/// The same job with one replica and other examples, all of which a step takes: each is watched doing step
/// <paramref name="Steps"/> + 1, from the same state. Where replicas go their own ways, it is the first one's: a minibatch
/// of one example is cut so that the first replica has it.
/// </param>
public sealed record ExplainOrder(JobRun Training, long Steps, ImmutableArray<JobRun> Watched);

/// <summary>The answer to an order: what was watched.</summary>
/// <param name="Passes">One for each of <see cref="ExplainOrder.Watched"/>.</param>
public sealed record Explained(ImmutableArray<RecordedPass> Passes) : INoSerializationVerificationNeeded;

/// <summary>The answer to an order for a step that the job never comes to: what it stops at was met before.</summary>
/// <param name="Step">The job's last step.</param>
public sealed record JobEndsBefore(long Step) : INoSerializationVerificationNeeded;

/// <summary>The answer to an order that cannot be followed.</summary>
/// <param name="Layer">The layer that failed; null where it was none.</param>
/// <param name="Step">At which step.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record NotExplained(string? Layer, long Step, string Reason) : INoSerializationVerificationNeeded;
