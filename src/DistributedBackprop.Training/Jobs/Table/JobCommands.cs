namespace DistributedBackprop.Training.Jobs.Table;

/// <summary>Something that the table is asked, or told.</summary>
/// <param name="Id">Which job.</param>
public abstract record JobCommand(string Id);

/// <summary>A job is handed in.</summary>
/// <param name="Submission">The job.</param>
public sealed record SubmitCommand(JobSubmission Submission) : JobCommand(Submission.Id);

/// <summary>A job shall be put aside.</summary>
/// <param name="Id">Which.</param>
public sealed record PauseCommand(string Id) : JobCommand(Id);

/// <summary>A job that is put aside shall go on.</summary>
/// <param name="Id">Which.</param>
/// <param name="IsForced">Also where another version of the program has begun it: its bits are no longer promised then.</param>
public sealed record ResumeCommand(string Id, bool IsForced = false) : JobCommand(Id);

/// <summary>A job shall end.</summary>
/// <param name="Id">Which.</param>
public sealed record CancelCommand(string Id) : JobCommand(Id);

/// <summary>A job that has ended shall be forgotten.</summary>
/// <param name="Id">Which.</param>
public sealed record DeleteCommand(string Id) : JobCommand(Id);

/// <summary>
/// A job shall begin now, whatever waits: a new one; one that was put aside or interrupted, which goes on; one that has ended,
/// which begins again as another job. Whoever asks has its data and runs it.
/// </summary>
/// <param name="Submission">The job.</param>
/// <param name="IsForced">Also where another version of the program has begun it: its bits are no longer promised then.</param>
public sealed record RunCommand(JobSubmission Submission, bool IsForced = false) : JobCommand(Submission.Id);

/// <summary>A job's turn has come: <see cref="JobTable.NextToBegin"/> has named it.</summary>
/// <param name="Id">Which.</param>
public sealed record BeginCommand(string Id) : JobCommand(Id);

/// <summary>A job that ran stands still, its state saved.</summary>
/// <param name="Id">Which.</param>
/// <param name="Step">The last step trained, ≥ 0.</param>
/// <param name="Reason">Why, for people, where nobody asked for it; else empty.</param>
public sealed record StoodStill(string Id, long Step, string Reason = "") : JobCommand(Id);

/// <summary>A job that ran has ended.</summary>
/// <param name="Id">Which.</param>
/// <param name="Outcome">Completed, failed or cancelled.</param>
public sealed record Ended(string Id, TrainingEvent Outcome) : JobCommand(Id);
