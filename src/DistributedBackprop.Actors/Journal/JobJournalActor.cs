using Akka.Actor;
using Akka.Persistence;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Actors.Journal;

/// <summary>
/// Keeps the journal of one job for whoever opens it, its parent: what it is asked to keep is durable when it answers.
/// <para>
/// In the order in which it happens: the journal is read; (1) the takeover is persisted, so that whoever had it before meets
/// a conflict at its next event; (2) the newest checkpoint that is whole is loaded; (3) the parent is told
/// <see cref="JournalOpened"/>; (4) records are kept one by one, states are written beside them, and a checkpoint is
/// committed by its record; after many records there is a summary, so that reading them again takes bounded time. An actor that cannot persist is stopped by Akka: the parent is told why
/// (<see cref="JournalLost"/>), and opens the journal again.
/// </para>
/// </summary>
public sealed class JobJournalActor : ReceivePersistentActor, IWithTimers
{
    private static readonly TimeSpan _askAgain = TimeSpan.FromSeconds(1);

    private readonly JournalOfJob _job;
    private readonly SortedDictionary<long, Writing> _writing = [];
    private readonly JournalSummaries _summaries;
    private JobHistory _history = JobHistory.Empty;
    private long _writes;
    private bool _isOpen;

    /// <summary>Makes the actor.</summary>
    /// <param name="job">Whose journal it is.</param>
    public JobJournalActor(JournalOfJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        _job = job;
        PersistenceId = IdOf(job.Name);
        _summaries = new JournalSummaries(job.SummaryEvery);
        Recover<SnapshotOffer>(offer =>
        {
            _summaries.OnRead(offer);
            _history = ((JobSummary)offer.Snapshot).History;
        });
        Recover<JobRecord>(record => _history = _history.After(record));
        Command<StoreAnswers>(_ => TakeOver());
        Command<StateLoaded>(loaded => TellOpened(loaded.State));
        Command<StateDamaged>(OnDamaged);
        Command<StateWritten>(OnWritten);
        Command<StatesKept>(_ => { });
        Command<StoreFailed>(OnStoreFailed);
        Command<Again>(again => _job.Store.Tell(again.Request));
        Command<KeepRecord>(keep => Keep(keep.Record, Sender));
        Command<CommitCheckpoint>(commit => Write(commit.State, Sender, commit, null));
        Command<KeepCompletion>(keep => Write(keep.Weights, Sender, null, keep));
        Command<SaveSnapshotSuccess>(saved => DeleteSnapshots(JournalSummaries.Before(saved)));
        Command<ISnapshotResponse>(_ => { });
    }

    /// <inheritdoc/>
    public override string PersistenceId { get; }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Names the journal of a job in the database.</summary>
    /// <param name="name">The job's: see <see cref="JournalOfJob.Name"/>.</param>
    public static string IdOf(string name) => $"job-{name}";

    /// <summary>How to make the actor.</summary>
    public static Props Props(JournalOfJob job) => Akka.Actor.Props.Create(() => new JobJournalActor(job));

    /// <inheritdoc/>
    protected override void OnReplaySuccess()
    {
        base.OnReplaySuccess();
        _job.Store.Tell(new ProbeStore(_job.Name));
    }

    /// <inheritdoc/>
    protected override void OnRecoveryFailure(Exception reason, object? message = null) =>
        Context.Parent.Tell(new JournalLost($"the journal of the job cannot be read: {reason.Message}", IsFinal: JournalDamage.IsIn(reason)));

    /// <inheritdoc/>
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) => Context.Parent.Tell(
        new JournalLost($"{@event.GetType().Name} was not persisted: {cause.Message}"));

    /// <inheritdoc/>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr) =>
        Lose(new JournalLost($"{@event.GetType().Name} was refused: {cause.Message}"));

    private void Lose(JournalLost lost)
    {
        Context.Parent.Tell(lost);
        Context.Stop(Self);
    }

    private void TakeOver()
    {
        if (WhoHasIt() is { } other)
        {
            Lose(new JournalLost($"{other} has taken it over as number {_history.Epoch}", IsTakenOver: true));
        }
        else if (_history.Submitted is { } known && WhyOther(known, _job.Submitted) is { } why)
        {
            Lose(new JournalLost($"the job goes on only as it was handed in: {why}", IsFinal: true));
        }
        else if (IsOtherVersion && !_job.IsForced)
        {
            Lose(new JournalLost(
                $"version {_history.Submitted!.ProgramVersion} has begun the job, and this is {_job.Submitted.ProgramVersion}: "
                + "its bits would not be those of one version, so it goes on only with --force",
                IsFinal: true)
            { OtherVersionAt = _history.NewestCheckpoint?.Step ?? 0 });
        }
        else
        {
            Commit(new JobTookOver(_history.Epoch + 1, _job.Process, _job.CoordinatorEpoch), Begin);
        }
    }

    // Not its number tells: a takeover of one's own may be durable although its answer was lost.
    private string? WhoHasIt() =>
        _history.CoordinatorEpoch > _job.CoordinatorEpoch && _job.CoordinatorEpoch > 0 ? $"coordinator {_history.CoordinatorEpoch}, in {_history.Process},"
        : _job.WasHeld && _history.Process != _job.Process ? _history.Process
        : null;

    private bool IsOtherVersion => _history is { Submitted: { } known, Outcome: null }
        && known.ProgramVersion != _job.Submitted.ProgramVersion;

    // A job that was interrupted is recovered by this; one that was paused is resumed.
    private void Begin()
    {
        if (_history.Submitted is null)
        {
            Commit(_job.Submitted, Load);
        }
        else if (IsOtherVersion)
        {
            Commit(new VersionForced(_job.Submitted.ProgramVersion), Begin);
        }
        else if (_history.PausedAt is not null && _history.Outcome is null)
        {
            Commit(new JobResumed(), Load);
        }
        else
        {
            Load();
        }
    }

    private static string? WhyOther(JobSubmitted known, JobSubmitted now) =>
        known.DataFingerprint != now.DataFingerprint ? $"its data were {known.DataFingerprint}, and are {now.DataFingerprint}"
        : known.Document != now.Document ? "its document is another"
        : null;

    private void Load()
    {
        var (manifest, layout) = _history.Outcome is JobCompleted completed
            ? (completed.Weights, _job.Layout.ParametersOnly)
            : (_history.NewestCheckpoint?.State, _job.Layout);
        if (manifest is null)
        {
            TellOpened(null);
        }
        else
        {
            _job.Store.Tell(new LoadState(_job.Name, manifest, layout));
        }
    }

    private void OnDamaged(StateDamaged damaged)
    {
        if (_history.Outcome is not null || _history.NewestCheckpoint is not { } newest)
        {
            Lose(new JournalLost($"the final weights of the job are damaged: {damaged.Reason}", IsFinal: true));
            return;
        }

        Commit(new CheckpointDropped(newest.Step, damaged.Reason), Load);
    }

    private void TellOpened(TrainingState? state)
    {
        _isOpen = true;
        Context.Parent.Tell(new JournalOpened(Self, _history, state));
    }

    private void Keep(JobRecord record, IActorRef sender) => Commit(record, () => sender.Tell(new RecordKept(record)));

    // What could not be read back is never written.
    private void Commit(JobRecord record, Action then)
    {
        _ = _history.After(record);
        Persist(record, kept =>
        {
            _history = _history.After(kept);
            if (_summaries.IsDue(LastSequenceNr))
            {
                SaveSnapshot(new JobSummary(_history));
            }

            then();
        });
    }

    private void Write(TrainingState state, IActorRef sender, CommitCheckpoint? commit, KeepCompletion? completion)
    {
        // Grows with every write and every commit, also over restarts.
        _writes = Math.Max(_writes + 1, LastSequenceNr);
        using (state)
        {
            _writing.Add(_writes, new Writing(sender, commit, completion, _history.Generation));
            _job.Store.Tell(new WriteState(_job.Name, _writes, [.. StateRange.AllOf(state)]));
        }
    }

    private void OnWritten(StateWritten written)
    {
        if (!_writing.Remove(written.Write, out var writing))
        {
            return;
        }

        if (writing.Completion is { } completion)
        {
            var weights = StateManifest.Of(_job.Layout.ParametersOnly, written.Chunks);
            Keep(new JobCompleted(completion.Outcome, weights), writing.Sender);
            return;
        }

        var commit = writing.Commit!;
        var manifest = new CheckpointManifest(writing.Generation, commit.Progress, StateManifest.Of(_job.Layout, written.Chunks));
        Commit(new Journal.CheckpointCommitted(manifest, _job.Keep), () =>
        {
            writing.Sender.Tell(new Checkpoints.CheckpointCommitted(_job.Submitted.JobId, commit.Step, manifest.State.Bytes));
            _job.Store.Tell(new KeepStates(_job.Name, written.Write, [.. _history.NeededStates]));
        });
    }

    private void OnStoreFailed(StoreFailed failed)
    {
        switch (failed.Request)
        {
            case WriteState write when _writing.Remove(write.Write, out var writing):
                if (writing.Commit is { } commit)
                {
                    writing.Sender.Tell(new CheckpointNotCommitted(_job.Submitted.JobId, commit.Step, failed.Reason));
                }
                else
                {
                    // Its tensors are gone with the request: whoever has the weights hands them in again.
                    Lose(new JournalLost($"the final weights were not kept: {failed.Reason}"));
                }

                break;
            case ProbeStore or LoadState when !_isOpen:
                // A database that is away is waited for.
                Timers.StartSingleTimer(failed.Request, new Again(failed.Request), _askAgain);
                break;
        }
    }

    private sealed record Writing(IActorRef Sender, CommitCheckpoint? Commit, KeepCompletion? Completion, long Generation);

    private sealed record Again(IStoreRequest Request) : INoSerializationVerificationNeeded;
}
