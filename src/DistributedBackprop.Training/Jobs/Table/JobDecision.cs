using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs.Table;

/// <summary>Why a command is refused.</summary>
public enum Refusal
{
    /// <summary>There is no such job.</summary>
    NotFound,

    /// <summary>The id names another job.</summary>
    AlreadyExists,

    /// <summary>The job's state does not allow it.</summary>
    WrongState,

    /// <summary>A limit of the table.</summary>
    TooMany,

    /// <summary>The table cannot be read or changed now; later it may.</summary>
    NotNow,
}

/// <summary>What the table makes of a command: what changes, or why nothing does.</summary>
/// <param name="Events">The changes, in their order; none where nothing changes.</param>
/// <param name="Refusal">Why it is refused; null where it is not.</param>
/// <param name="Reason">The same, for people; empty where it is not refused.</param>
public sealed record JobDecision(ImmutableArray<JobTableEvent> Events, Refusal? Refusal, string Reason)
{
    /// <summary>It is done, by these changes.</summary>
    public static JobDecision Done(params ImmutableArray<JobTableEvent> events) => new(events, null, "");

    /// <summary>It is refused.</summary>
    public static JobDecision Refused(Refusal refusal, string reason) => new([], refusal, reason);
}
