using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Journal;

/// <summary>The coordinator's journal, for one process.</summary>
/// <param name="Process">Names the process: no other one ever has this name.</param>
/// <param name="Limits">What the table of jobs holds at most.</param>
/// <param name="WasHeld">
/// Whether this process has had the journal before: then it does not take it back from one that has it since.
/// </param>
public sealed record JournalOfCoordinator(string Process, JobTableLimits Limits, bool WasHeld)
{
    /// <summary>Events from one summary to the next, ≥ 1.</summary>
    public int SummaryEvery { get; init; } = JournalSummaries.Usual;
}

/// <summary>To whoever opened the coordinator's journal: it is theirs.</summary>
/// <param name="Journal">The journal's actor, which keeps what it is told from now on.</param>
/// <param name="History">What has happened so far; the receiver owns it.</param>
public sealed record CoordinatorJournalOpened(IActorRef Journal, CoordinatorHistory History) : INoSerializationVerificationNeeded;

/// <summary>To whoever opened the coordinator's journal: nothing more is kept. The actor is stopped.</summary>
/// <param name="Journal">The journal's actor.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="IsTaken">Whether another process has it now, so that it is not to be opened again.</param>
public sealed record CoordinatorJournalLost(IActorRef Journal, string Reason, bool IsTaken) : INoSerializationVerificationNeeded;

/// <summary>The table changes: keep it, all of it or nothing. The answer, when it is durable, is <see cref="ChangesKept"/>.</summary>
/// <param name="Changes">The changes, in their order; at least one.</param>
public sealed record KeepChanges(ImmutableArray<JobTableEvent> Changes) : INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="KeepChanges"/>.</summary>
/// <param name="Journal">The journal's actor.</param>
public sealed record ChangesKept(IActorRef Journal) : INoSerializationVerificationNeeded;
