using Akka.Actor;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Journal;

/// <summary>The journal of one job: what its actor is to keep, and where.</summary>
/// <param name="Submitted">What was handed in: written once, compared when the journal is opened again.</param>
/// <param name="Layout">The job's whole state.</param>
/// <param name="Store">Who keeps states: see <see cref="Checkpoints.IStoreRequest"/>.</param>
/// <param name="Keep">How many checkpoints stay, ≥ 1.</param>
public sealed record JournalOfJob(JobSubmitted Submitted, StateLayout Layout, IActorRef Store, int Keep)
{
    /// <summary>Names its journal and its states in the store.</summary>
    public required string Name { get; init; }

    /// <summary>Events from one summary to the next, ≥ 1.</summary>
    public int SummaryEvery { get; init; } = JournalSummaries.Usual;

    /// <summary>Whether it goes on also where another version of the program has begun it.</summary>
    public bool IsForced { get; init; }

    /// <summary>Names the process that opens it: no other one ever has this name.</summary>
    public required string Process { get; init; }

    /// <summary>
    /// The takeover of the coordinator's own journal under which it is opened: a later coordinator's job is left to it. 0 where
    /// the coordinator has none.
    /// </summary>
    public long CoordinatorEpoch { get; init; }

    /// <summary>Whether this process has had it before: then it does not take it back from one that has it since.</summary>
    public bool WasHeld { get; init; }
}

/// <summary>To whoever opened a journal: it is theirs, and this is where the job stands.</summary>
/// <param name="Journal">The journal's actor, which keeps what it is told from now on.</param>
/// <param name="History">What has happened so far.</param>
/// <param name="State">The newest checkpoint's state, or the final weights of a job that is over; null where there is none. The receiver owns it.</param>
public sealed record JournalOpened(IActorRef Journal, JobHistory History, TrainingState? State) : INoSerializationVerificationNeeded;

/// <summary>To whoever opened a journal: nothing more is kept. The actor is stopped.</summary>
/// <param name="Reason">Why, for people.</param>
/// <param name="IsFinal">Whether it would be the same when it is opened again.</param>
/// <param name="IsTakenOver">Whether somebody else has it now: the job goes on there, and nothing is to be said of it here.</param>
public sealed record JournalLost(string Reason, bool IsFinal = false, bool IsTakenOver = false)
    : INoSerializationVerificationNeeded
{
    /// <summary>
    /// Where another version of the program has begun the job, so that it goes on only if it is forced: the step of its newest
    /// checkpoint. Else null.
    /// </summary>
    public long? OtherVersionAt { get; init; }
}

/// <summary>Something happened: keep it. The answer, when it is durable, is <see cref="RecordKept"/>.</summary>
/// <param name="Record">What.</param>
public sealed record KeepRecord(JobRecord Record) : INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="KeepRecord"/> and <see cref="KeepCompletion"/>, in the order in which they were asked.</summary>
/// <param name="Record">What was kept.</param>
public sealed record RecordKept(JobRecord Record) : INoSerializationVerificationNeeded;

/// <summary>The job is done: keep its weights, then its last word. The answer is <see cref="RecordKept"/>.</summary>
/// <param name="Outcome">Its last word.</param>
/// <param name="Weights">Its final parameters; the receiver owns them.</param>
public sealed record KeepCompletion(TrainingCompleted Outcome, TrainingState Weights) : INoSerializationVerificationNeeded;
