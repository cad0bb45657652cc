using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>A request is refused.</summary>
/// <param name="Refusal">Why.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record RequestRefused(Refusal Refusal, string Reason) : INoSerializationVerificationNeeded;

/// <summary>Where a job stands.</summary>
/// <param name="Entry">The job in the table.</param>
/// <param name="Reason">Why it stands there, for people.</param>
/// <param name="Position">Its place in the queue, from 1; 0 where it does not wait.</param>
/// <param name="Progress">How far it has come.</param>
public sealed record JobStatus(JobEntry Entry, string Reason, int Position, JobMark Progress) : INoSerializationVerificationNeeded;

/// <summary>A job has been begun by whoever asked for it.</summary>
/// <param name="Record">Its record: takes <see cref="Watched"/>.</param>
public sealed record RunBegun(IActorRef Record) : INoSerializationVerificationNeeded;

/// <summary>How far a job has come.</summary>
/// <param name="Step">Steps trained.</param>
/// <param name="TotalSteps">Steps to train; 0 before its data are read.</param>
/// <param name="Epoch">The epoch of the last step; 0 before the first.</param>
/// <param name="Loss">The newest loss; null before the first step.</param>
/// <param name="LastEvent">The number of its newest event.</param>
public sealed record JobMark(long Step, long TotalSteps, int Epoch, double? Loss, long LastEvent)
{
    /// <summary>Of a job that has not begun.</summary>
    public static JobMark None { get; } = new(0, 0, 0, null, 0);
}

/// <summary>Some of the jobs, in the order in which they were handed in.</summary>
/// <param name="Jobs">The jobs.</param>
/// <param name="HasMore">Whether others follow.</param>
public sealed record JobList(ImmutableArray<JobStatus> Jobs, bool HasMore) : INoSerializationVerificationNeeded;

/// <summary>The network that a job has trained.</summary>
/// <param name="Job">The job.</param>
/// <param name="Graph">The network.</param>
/// <param name="Parameters">The parameters in graph order, a vector for each layer; nobody writes to them.</param>
/// <param name="Step">After which step they are.</param>
/// <param name="IsFinal">Whether the job has completed with them; else they are those of its newest checkpoint.</param>
public sealed record TrainedNetwork(
    TrainingJob Job, Graph Graph, ImmutableArray<float[]> Parameters, long Step, bool IsFinal) : INoSerializationVerificationNeeded;

/// <summary>Where a job runs, or ran last.</summary>
/// <param name="Newest">Its newest generation; null before the first.</param>
public sealed record JobPlacement(GenerationStarted? Newest) : INoSerializationVerificationNeeded;

/// <summary>The workers of the cluster.</summary>
/// <param name="Workers">In the order of their names.</param>
/// <param name="JobsOf">The jobs that run on each, by its name.</param>
public sealed record WorkerList(ImmutableArray<NodeInfo> Workers, ImmutableDictionary<string, ImmutableArray<string>> JobsOf)
    : INoSerializationVerificationNeeded;
