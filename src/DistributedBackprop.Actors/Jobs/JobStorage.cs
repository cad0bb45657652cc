using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Journal;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>Where jobs outlive their process: journals are the actor system's to keep, states the store's.</summary>
/// <param name="Store">Keeps states: it takes every <see cref="IStoreRequest"/>.</param>
/// <param name="ProgramVersion">Fixes the bits: a job is not resumed by another unless it is forced.</param>
/// <param name="Process">Names this process in the journals: no other one ever has this name.</param>
public sealed record JobStorage(IActorRef Store, string ProgramVersion, string Process)
{
    /// <summary>Events of a journal from one summary to the next, ≥ 1.</summary>
    public int SummaryEvery { get; init; } = JournalSummaries.Usual;
}
