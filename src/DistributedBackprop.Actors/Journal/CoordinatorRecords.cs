namespace DistributedBackprop.Actors.Journal;

/// <summary>An actor took the coordination over. The one before meets a key conflict at its next event.</summary>
/// <param name="Epoch">From 1.</param>
public sealed record CoordinatorTookOver(long Epoch) : CoordinatorRecord;

/// <summary>A job was accepted.</summary>
/// <param name="JobId">Names it.</param>
/// <param name="Name">Its name, for people.</param>
/// <param name="Order">Jobs are placed in this order: larger than that of every job before.</param>
public sealed record JobAdded(string JobId, string Name, long Order) : CoordinatorRecord;

/// <summary>A job is over.</summary>
/// <param name="JobId">Which.</param>
/// <param name="Summary">What a list shows of it, so that it need not be recovered.</param>
public sealed record JobEnded(string JobId, JobSummary Summary) : CoordinatorRecord;

/// <summary>A job was deleted; its id may be given again.</summary>
/// <param name="JobId">Which.</param>
public sealed record JobDeleted(string JobId) : CoordinatorRecord;

/// <summary>How a job ended.</summary>
public enum JobOutcome
{
    /// <summary>All of it is trained.</summary>
    Completed = 1,

    /// <summary>It could not go on.</summary>
    Failed = 2,

    /// <summary>Somebody wanted it to end.</summary>
    Cancelled = 3,
}

/// <summary>What a list shows of a job that is over.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Step">The last step trained, or at which it failed.</param>
/// <param name="TrainLoss">Of the last epoch; null where it did not complete.</param>
/// <param name="TestLoss">After the last step; null without one.</param>
/// <param name="TestAccuracy">After the last step; null without one.</param>
/// <param name="WeightsSha256">Of the final weights; null where it did not complete.</param>
/// <param name="Reason">Why it failed; null where it did not.</param>
public sealed record JobSummary(
    JobOutcome Outcome,
    long Step,
    double? TrainLoss = null,
    double? TestLoss = null,
    double? TestAccuracy = null,
    string? WeightsSha256 = null,
    string? Reason = null);
