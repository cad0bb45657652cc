using System.Globalization;

namespace DistributedBackprop.Training.Jobs.Table;

/// <summary>What a table holds at most.</summary>
/// <param name="Open">Jobs that wait or are put aside, ≥ 1.</param>
/// <param name="Over">Jobs that have ended: the oldest are forgotten, ≥ 1.</param>
public sealed record JobTableLimits(int Open = 256, int Over = 1000);

/// <summary>
/// All jobs of a cluster and what may become of them: pure. <see cref="Process"/> says what a command changes and
/// changes nothing itself; whoever asked persists the changes and then has them applied (<see cref="Apply"/>).
/// <para>
/// First come, first served, as many at once as fit: a job takes a thread for each stage of each replica, but never more
/// than the cluster has; the first of the queue begins once so many are free. Nobody overtakes, so everybody's turn comes.
/// </para>
/// </summary>
/// <param name="limits">What it holds at most.</param>
public sealed class JobTable(JobTableLimits limits)
{
    private readonly Dictionary<string, JobEntry> _entries = new(StringComparer.Ordinal);
    private long _lastNumber;

    /// <summary>A table as another one was.</summary>
    /// <param name="limits">What it holds at most.</param>
    /// <param name="entries">The jobs of the other one; no two have the same id.</param>
    /// <param name="lastNumber">The <see cref="LastNumber"/> of the other one.</param>
    public JobTable(JobTableLimits limits, IEnumerable<JobEntry> entries, long lastNumber)
        : this(limits)
    {
        ArgumentNullException.ThrowIfNull(entries);
        foreach (var entry in entries)
        {
            _entries.Add(entry.Id, entry);
        }

        _lastNumber = lastNumber;
    }

    /// <summary>The greatest number and turn that a job has had, those that are forgotten included.</summary>
    public long LastNumber => _lastNumber;

    /// <summary>All jobs, in the order in which they were handed in.</summary>
    public IEnumerable<JobEntry> All => _entries.Values.OrderBy(entry => entry.Number);

    /// <summary>The jobs that wait, in the order of their turns.</summary>
    public IEnumerable<JobEntry> Queue => _entries.Values
        .Where(entry => entry.State == JobState.Waiting)
        .OrderBy(entry => entry.Turn);

    /// <summary>How many jobs are in a state.</summary>
    public int CountOf(JobState state) => _entries.Values.Count(entry => entry.State == state);

    /// <summary>A job; null where there is none.</summary>
    public JobEntry? Find(string id) => _entries.GetValueOrDefault(id);

    /// <summary>What a command changes.</summary>
    public JobDecision Process(JobCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        switch (command)
        {
            case SubmitCommand submit:
                return Submit(submit.Submission);
            case RunCommand run:
                return Run(run);
        }

        return Find(command.Id) is { } entry
            ? Decide(command, entry)
            : JobDecision.Refused(Refusal.NotFound, $"there is no job '{command.Id}'");
    }

    /// <summary>Makes a change that <see cref="Process"/> has named; also those of a journal, in their order.</summary>
    /// <exception cref="InvalidOperationException">It cannot have happened now.</exception>
    public void Apply(JobTableEvent change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (WhyImpossible(change) is { } why)
        {
            throw new InvalidOperationException($"{change.GetType().Name} cannot have happened now: {why}");
        }

        switch (change)
        {
            case JobSubmitted submitted:
                _lastNumber++;
                _entries[change.Id] = new JobEntry(submitted.Submission, _lastNumber, JobState.Waiting, _lastNumber);
                break;
            case JobDeleted:
                _entries.Remove(change.Id);
                break;
            case JobBegan:
                Change(change.Id, entry => entry with { State = JobState.Running, Wish = JobWish.None });
                break;
            case JobWished wished:
                Change(change.Id, entry => entry with { Wish = wished.Wish });
                break;
            case JobPaused paused:
                Change(change.Id, entry => entry with
                {
                    State = JobState.Paused,
                    Wish = JobWish.None,
                    Step = Math.Max(entry.Step, paused.Step),
                    WhyPaused = paused.Reason,
                    IsForced = false,
                });
                break;
            case JobResumed resumed:
                _lastNumber++;
                Change(change.Id, entry => entry with
                {
                    State = JobState.Waiting,
                    Turn = _lastNumber,
                    WhyPaused = "",
                    IsForced = resumed.IsForced,
                });
                break;
            case JobEnded ended:
                Change(change.Id, entry => entry with
                {
                    State = StateAfter(ended.Outcome),
                    Wish = JobWish.None,
                    Step = Math.Max(entry.Step, StepOf(ended.Outcome)),
                    Outcome = ended.Outcome,
                });
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(change), change, "An unknown change.");
        }
    }

    /// <summary>The job whose turn has come; null where none fits at present.</summary>
    /// <param name="threads">Threads of the cluster's workers.</param>
    public JobEntry? NextToBegin(int threads) =>
        Queue.FirstOrDefault(entry => !entry.Submission.IsGiven()) is { } first && threads > 0 && Demand(first, threads) <= Free(threads)
            ? first
            : null;

    /// <summary>Where a job stands in the queue, from 1; 0 where it does not wait.</summary>
    public int PositionOf(JobEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.State == JobState.Waiting ? 1 + Queue.TakeWhile(other => other.Id != entry.Id).Count() : 0;
    }

    /// <summary>Why a job stands where it does, for people; empty where there is nothing to say.</summary>
    /// <param name="entry">The job.</param>
    /// <param name="threads">Threads of the cluster's workers.</param>
    public string ReasonOf(JobEntry entry, int threads)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return (entry.State, entry.Wish, entry.Outcome) switch
        {
            (JobState.Waiting, _, _) => WhyWaiting(PositionOf(entry), entry, threads),
            (JobState.Paused, _, _) => entry.WhyPaused,
            (JobState.Running, JobWish.Pause, _) => "pauses after the steps that were granted",
            (JobState.Running, JobWish.Cancel, _) => "ends after the steps that were granted",
            (_, _, TrainingFailed failed) => failed.Layer is null ? failed.Reason : $"layer {failed.Layer}: {failed.Reason}",
            _ => "",
        };
    }

    private JobDecision Submit(JobSubmission submission)
    {
        if (Find(submission.Id) is { } same)
        {
            return same.Submission.AsksTheSame(submission)
                ? JobDecision.Done()
                : JobDecision.Refused(Refusal.AlreadyExists, $"the id '{submission.Id}' names another job");
        }

        if (IsFull)
        {
            return JobDecision.Refused(Refusal.TooMany, string.Create(
                CultureInfo.InvariantCulture, $"{limits.Open} jobs wait or are paused, as many as may: try again when one of them has begun"));
        }

        return JobDecision.Done([.. Forgotten(), new JobSubmitted(submission)]);
    }

    private JobDecision Run(RunCommand run)
    {
        var id = run.Id;
        if (Find(id) is not { } entry)
        {
            return JobDecision.Done([.. Forgotten(), new JobSubmitted(run.Submission), new JobBegan(id)]);
        }

        var mayBeReplaced = entry.IsOver && entry.Submission.IsGiven();
        if (!mayBeReplaced && !entry.Submission.AsksTheSame(run.Submission))
        {
            return JobDecision.Refused(Refusal.AlreadyExists, $"the id '{id}' names another job");
        }

        return (entry.State, entry.Wish) switch
        {
            (JobState.Waiting, _) => JobDecision.Done(new JobBegan(id)),
            (JobState.Paused, _) => JobDecision.Done(new JobResumed(id, run.IsForced), new JobBegan(id)),

            // It was interrupted; what was wanted of it then is not wanted any more.
            (JobState.Running, JobWish.None) => JobDecision.Done(),
            (JobState.Running, _) => JobDecision.Done(
                new JobPaused(id, entry.Step), new JobResumed(id, run.IsForced), new JobBegan(id)),
            _ => JobDecision.Done(new JobDeleted(id), new JobSubmitted(run.Submission), new JobBegan(id)),
        };
    }

    // What is acknowledged is never given up for another one, only what has ended.
    private IEnumerable<JobTableEvent> Forgotten()
    {
        var over = All.Where(entry => entry.IsOver).ToList();
        return over.Take(Math.Max(0, over.Count - limits.Over + 1)).Select(entry => new JobDeleted(entry.Id));
    }

    private static JobDecision Decide(JobCommand command, JobEntry entry) => (command, entry.State) switch
    {
        (BeginCommand, JobState.Waiting) => JobDecision.Done(new JobBegan(entry.Id)),
        (PauseCommand, JobState.Waiting) => JobDecision.Done(new JobPaused(entry.Id, entry.Step)),
        (PauseCommand, JobState.Running) when entry.Wish == JobWish.None => JobDecision.Done(new JobWished(entry.Id, JobWish.Pause)),
        (PauseCommand, JobState.Running) when entry.Wish == JobWish.Pause => JobDecision.Done(),
        (PauseCommand, JobState.Paused) => JobDecision.Done(),
        (ResumeCommand, JobState.Paused) when entry.Submission.IsGiven() =>
            JobDecision.Refused(Refusal.WrongState, $"job '{entry.Id}' cannot be resumed here: {JobSubmission.WhyNotHere}"),
        (ResumeCommand resume, JobState.Paused) => JobDecision.Done(new JobResumed(entry.Id, resume.IsForced)),
        (ResumeCommand, JobState.Waiting) => JobDecision.Done(),
        (ResumeCommand, JobState.Running) when entry.Wish == JobWish.None => JobDecision.Done(),
        (CancelCommand, JobState.Waiting or JobState.Paused) =>
            JobDecision.Done(new JobEnded(entry.Id, new TrainingCancelled(entry.Id, entry.Step))),
        (CancelCommand, JobState.Running) when entry.Wish != JobWish.Cancel => JobDecision.Done(new JobWished(entry.Id, JobWish.Cancel)),
        (CancelCommand, JobState.Running or JobState.Cancelled) => JobDecision.Done(),
        (DeleteCommand, _) when entry.IsOver => JobDecision.Done(new JobDeleted(entry.Id)),

        // A cancel that was acknowledged holds, whatever the job came to before it heard of it: it had drained to pause, or was
        // at its last step. Only where it had failed that is what is told.
        (StoodStill stood, JobState.Running) when entry.Wish == JobWish.Cancel =>
            JobDecision.Done(new JobEnded(entry.Id, new TrainingCancelled(entry.Id, stood.Step))),
        (Ended { Outcome: TrainingCompleted completed }, JobState.Running) when entry.Wish == JobWish.Cancel =>
            JobDecision.Done(new JobEnded(entry.Id, new TrainingCancelled(entry.Id, completed.Steps))),
        (StoodStill stood, JobState.Running) => JobDecision.Done(new JobPaused(entry.Id, stood.Step, stood.Reason)),
        (Ended ended, JobState.Running) => JobDecision.Done(new JobEnded(entry.Id, ended.Outcome)),
        _ => JobDecision.Refused(Refusal.WrongState, $"job '{entry.Id}' is {Word(entry)}, which does not allow it to {Word(command)}"),
    };

    private bool IsFull => _entries.Values.Count(entry => entry.State is JobState.Waiting or JobState.Paused) >= limits.Open;

    private int Free(int threads) =>
        threads - _entries.Values.Where(entry => entry.State == JobState.Running).Sum(entry => Demand(entry, threads));

    private static int Demand(JobEntry entry, int threads) => Math.Min(entry.Submission.Threads, threads);

    private string WhyWaiting(int position, JobEntry entry, int threads) => position > 1
        ? string.Create(CultureInfo.InvariantCulture, $"{position - 1} {(position == 2 ? "job is" : "jobs are")} before it in the queue")
        : threads == 0
            ? "there is no worker node"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"it takes {Demand(entry, threads)} of {threads} threads, and {Math.Max(0, Free(threads))} are free");

    private void Change(string id, Func<JobEntry, JobEntry> change) => _entries[id] = change(_entries[id]);

    private string? WhyImpossible(JobTableEvent change)
    {
        if (Find(change.Id) is not { } entry)
        {
            return change is JobSubmitted ? null : $"there is no job '{change.Id}'";
        }

        var fits = (change, entry.State) switch
        {
            (JobSubmitted, _) => false,
            (JobBegan, var state) => state == JobState.Waiting,
            (JobWished, var state) => state == JobState.Running,
            (JobPaused, var state) => state is JobState.Waiting or JobState.Running,
            (JobResumed, var state) => state == JobState.Paused,
            (JobEnded, _) => !entry.IsOver,
            (JobDeleted, _) => entry.IsOver,
            _ => false,
        };
        return fits ? null : $"job '{entry.Id}' is {Word(entry)}";
    }

    private static long StepOf(TrainingEvent outcome) => outcome switch
    {
        TrainingCompleted completed => completed.Steps,
        TrainingFailed failed => failed.Step,
        TrainingCancelled cancelled => cancelled.Step,
        _ => 0,
    };

    private static JobState StateAfter(TrainingEvent outcome) => outcome switch
    {
        TrainingCompleted => JobState.Completed,
        TrainingCancelled => JobState.Cancelled,
        _ => JobState.Failed,
    };

    private static string Word(JobEntry entry) => (entry.State, entry.Wish) switch
    {
        (JobState.Running, JobWish.Pause) => "about to pause",
        (JobState.Running, JobWish.Cancel) => "about to end",
        _ => entry.State.ToString().ToLowerInvariant(),
    };

    private static string Word(JobCommand command) => command switch
    {
        PauseCommand => "pause",
        ResumeCommand => "be resumed",
        CancelCommand => "be cancelled",
        DeleteCommand => "be deleted (cancel it first)",
        BeginCommand => "begin",
        StoodStill => "stand still",
        _ => "end",
    };
}
