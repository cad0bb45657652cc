using System.Collections.Immutable;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Journal;

/// <summary>
/// The journal of one job up to some event, in one piece: where there is one, only the events after it are read. It is a
/// snapshot beside the journal. The events before it stay: whoever has had the journal before meets a conflict where the one
/// that followed took it over, however long ago that was; and a summary that is damaged can be done without.
/// </summary>
/// <param name="History">What the job knows of its past.</param>
public sealed record JobSummary(JobHistory History) : IJournalEvent;

/// <summary>The same of the coordinator's journal: see <see cref="JobSummary"/>.</summary>
/// <param name="Epoch">The last takeover.</param>
/// <param name="Process">Whose that was.</param>
/// <param name="Changes">How often the table had changed.</param>
/// <param name="Jobs">All jobs, in the order in which they were handed in.</param>
/// <param name="LastNumber">The greatest number and turn that a job has had.</param>
public sealed record CoordinatorSummary(
    long Epoch, string Process, long Changes, ImmutableArray<JobEntry> Jobs, long LastNumber) : IJournalEvent
{
    /// <inheritdoc/>
    public bool Equals(CoordinatorSummary? other) => other is not null
        && (Epoch, Process, Changes, LastNumber) == (other.Epoch, other.Process, other.Changes, other.LastNumber)
        && Jobs.SequenceEqual(other.Jobs);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Epoch, Changes, LastNumber);
}
