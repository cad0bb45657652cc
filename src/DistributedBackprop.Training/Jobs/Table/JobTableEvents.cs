namespace DistributedBackprop.Training.Jobs.Table;

/// <summary>A change of the table: what is to be persisted before anybody is answered.</summary>
/// <param name="Id">Of which job.</param>
public abstract record JobTableEvent(string Id);

/// <summary>A job is in the queue.</summary>
/// <param name="Submission">The job.</param>
public sealed record JobSubmitted(JobSubmission Submission) : JobTableEvent(Submission.Id);

/// <summary>A job's turn has come.</summary>
/// <param name="Id">Which.</param>
public sealed record JobBegan(string Id) : JobTableEvent(Id);

/// <summary>Something is wanted of a job that runs.</summary>
/// <param name="Id">Which.</param>
/// <param name="Wish">What.</param>
public sealed record JobWished(string Id, JobWish Wish) : JobTableEvent(Id);

/// <summary>A job is put aside.</summary>
/// <param name="Id">Which.</param>
/// <param name="Step">The last step trained, ≥ 0.</param>
/// <param name="Reason">Why, for people, where nobody asked for it; else empty.</param>
public sealed record JobPaused(string Id, long Step, string Reason = "") : JobTableEvent(Id);

/// <summary>A job is in the queue again, at its end.</summary>
/// <param name="Id">Which.</param>
/// <param name="IsForced">Also where another version of the program has begun it.</param>
public sealed record JobResumed(string Id, bool IsForced = false) : JobTableEvent(Id);

/// <summary>A job has ended.</summary>
/// <param name="Id">Which.</param>
/// <param name="Outcome">Completed, failed or cancelled.</param>
public sealed record JobEnded(string Id, TrainingEvent Outcome) : JobTableEvent(Id);

/// <summary>A job is forgotten.</summary>
/// <param name="Id">Which.</param>
public sealed record JobDeleted(string Id) : JobTableEvent(Id);
