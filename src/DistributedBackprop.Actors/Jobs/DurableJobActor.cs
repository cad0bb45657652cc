using Akka.Actor;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// A job that outlives its process: opens its journal, and has a <see cref="JobActor"/> go on from where it stands. It takes
/// that one's place to the outside. Where the journal is lost (the database is away, somebody else has taken over), it ends
/// the job's actor as a crash would, and opens the journal again.
/// </summary>
internal sealed class DurableJobActor : ReceiveActor, IWithTimers
{
    // So often a journal is lost before it is open, and then a job that is to end ends without it.
    private const int LostInVain = 3;

    private static readonly TimeSpan _openAgain = TimeSpan.FromSeconds(1);

    private readonly JobRun _run;
    private readonly IActorRef _directory;
    private readonly JobKeeper _keeper;
    private readonly IActorRef _watcher;
    private readonly JournalOfJob _journalOfJob;
    private IActorRef? _journal;
    private IActorRef? _job;
    private object? _wish;
    private long _toldStep;
    private int _toldEpochs;
    private long _lastEvent;
    private int _opened;
    private int _lostInVain;
    private bool _wasOpen;
    private bool _isElsewhere;
    private bool _isOver;

    /// <summary>Makes the actor.</summary>
    /// <param name="run">The job.</param>
    /// <param name="directory">Knows the nodes.</param>
    /// <param name="keeper">What this process has.</param>
    /// <param name="watcher">Who hears of the job.</param>
    /// <param name="journalOfJob">Its journal.</param>
    /// <param name="lastEvent">The number of the job's last event so far.</param>
    public DurableJobActor(
        JobRun run, IActorRef directory, JobKeeper keeper, IActorRef watcher, JournalOfJob journalOfJob, long lastEvent)
    {
        _run = run;
        _directory = directory;
        _keeper = keeper;
        _watcher = watcher;
        _journalOfJob = journalOfJob;
        _lastEvent = lastEvent;
        Receive<JournalOpened>(OnOpened);
        Receive<JournalLost>(OnLost);
        Receive<OpenAgain>(_ => Open());
        Receive<JobEvent>(happened =>
        {
            Note(happened.Event);
            _lastEvent++;
            _watcher.Forward(happened);
        });
        Receive<JobOver>(over =>
        {
            if (Sender.Equals(_job))
            {
                End(over);
            }
            else
            {
                // Of a job's actor that was ended here: the next one goes on.
                over.GiveUp();
            }
        });
        Receive<GenerationBegins>(begins => Context.Parent.Tell(begins));
        Receive<NodesLeftBehind>(left => Context.Parent.Tell(left));
        Receive<JobEnds>(_ => { });
        Receive<PauseJob>(Wish);
        Receive<CancelJob>(Wish);
        Receive<Watched>(watched => _job?.Forward(watched));
        Receive<ShareNewest>(ask =>
        {
            if (_job is { } job)
            {
                job.Forward(ask);
            }
            else
            {
                Sender.Tell(new NewestShared(_toldStep, null));
            }
        });
        Receive<Terminated>(gone =>
        {
            if (gone.ActorRef.Equals(_watcher))
            {
                // Nobody watches any more, and what is kept stays: the job can go on when somebody asks for it.
                Context.Stop(Self);
            }
            else if (gone.ActorRef.Equals(_journal))
            {
                OnLost(new JournalLost("the journal's actor has stopped"));
            }
        });
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>How to make the actor.</summary>
    public static Props Props(
        JobRun run, IActorRef directory, JobKeeper keeper, IActorRef watcher, JournalOfJob journalOfJob, long lastEvent) =>
        Akka.Actor.Props.Create(() => new DurableJobActor(run, directory, keeper, watcher, journalOfJob, lastEvent));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();

        // States are told between these actors, and each of them may end at any time.
        LostTensors.AreGivenUpIn(Context.System);
        Context.Watch(_watcher);
        Open();
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(exception =>
    {
        // A journal that fails is opened again: its end is heard of.
        if (Sender.Equals(_job))
        {
            End(new JobOver(new TrainingFailed(_run.Id, _toldStep, null, FailedActor.ReasonOf(exception)), [], []));
        }

        return Directive.Stop;
    });

    private void Open()
    {
        _opened++;
        _journal = Context.Watch(Context.ActorOf(
            JobJournalActor.Props(_journalOfJob with { WasHeld = _wasOpen }), $"journal-{_opened}"));
    }

    private void OnOpened(JournalOpened opened)
    {
        if (!opened.Journal.Equals(_journal))
        {
            opened.State?.Dispose();
            return;
        }

        var history = opened.History;
        _lostInVain = 0;
        if (history.Outcome is { } outcome)
        {
            EndAs(outcome, opened.State);
            return;
        }

        TellDecided(history);
        var checkpoint = history.NewestCheckpoint;
        var start = new JobStart
        {
            State = opened.State,
            Progress = checkpoint?.Progress ?? ProgressState.Beginning,
            LastGeneration = history.Generation,
            Recoveries = history.Recoveries,
            ToldStep = Math.Max(_toldStep, Math.Max(checkpoint?.Step ?? 0, history.LastEpoch?.Step ?? 0)),
            ToldEpochs = _toldEpochs,
            LastEvent = _lastEvent,
            DecidedEpochs = history.LastEpoch?.Epoch ?? 0,
            Journal = _journal,
        };
        _job = Context.ActorOf(JobActor.Props(_run, _directory, _keeper, Self, start), $"job-{_opened}");
        if (_wish is not null)
        {
            _job.Tell(_wish);
        }
    }

    private void OnLost(JournalLost lost)
    {
        if (_isElsewhere)
        {
            return;
        }

        if (lost.IsFinal)
        {
            End(new JobOver(new TrainingFailed(_run.Id, lost.OtherVersionAt ?? _toldStep, null, lost.Reason), [], [])
            {
                NeedsForce = lost.OtherVersionAt is not null,
            });
            return;
        }

        if (_journal is not { } journal)
        {
            return;
        }

        Context.Unwatch(journal);
        Context.Stop(journal);
        _journal = null;
        if (_job is { } job)
        {
            _job = null;
            Context.Stop(job);
        }

        Tell(new TrainingWaits(_toldStep, lost.Reason));
        if (lost.IsTakenOver)
        {
            // It goes on there: no last word is said of it here, and this process, which others believe to be over, ends.
            _isElsewhere = true;
            _keeper.Life?.OnRefused($"job {_run.Id} was taken over by another process: {lost.Reason}");
            return;
        }

        _lostInVain++;
        if (!EndsWithoutJournal())
        {
            Timers.StartSingleTimer(OpenAgain.Instance, OpenAgain.Instance, _openAgain);
        }
    }

    private void Wish(object wish)
    {
        _wish = wish;
        if (_job is { } job)
        {
            job.Tell(wish);
        }
        else if (_journal is null)
        {
            EndsWithoutJournal();
        }
    }

    // Who cancels a job does not wait for a journal that nobody can read: the table of jobs says that it is over.
    private bool EndsWithoutJournal()
    {
        if (_wish is not CancelJob || _lostInVain < LostInVain)
        {
            return false;
        }

        End(new JobOver(new TrainingCancelled(_run.Id, _toldStep), [], []));
        return true;
    }

    // What was decided before this actor was there is in the journal for whoever asks. An epoch that was persisted as the journal
    // was lost, nobody has told.
    private void TellDecided(JobHistory history)
    {
        foreach (var decided in history.Epochs.Where(decided => _wasOpen && decided.Epoch.Epoch > _toldEpochs))
        {
            Tell(decided.Epoch);
        }

        _wasOpen = true;
        _toldEpochs = Math.Max(_toldEpochs, history.LastEpoch?.Epoch ?? 0);
    }

    private void Tell(TrainingEvent happened)
    {
        _lastEvent++;
        _watcher.Tell(new JobEvent(happened));
    }

    private void Note(TrainingEvent happened)
    {
        if (happened is StepDone step)
        {
            _toldStep = step.Step;
        }
        else if (happened is EpochDone epoch)
        {
            _toldEpochs = epoch.Epoch;
        }
    }

    // A job that has failed or was cancelled comes with its newest checkpoint, of which nothing is wanted here.
    private void EndAs(JobRecord outcome, TrainingState? weights)
    {
        switch (outcome)
        {
            case JobCompleted completed:
                var final = weights is null ? [] : new FinalWeights(_run.Graph, weights).Vectors(_keeper.Pool);
                weights?.Dispose();
                End(new JobOver(completed.Outcome, final, []));
                break;
            case JobFailed failed:
                weights?.Dispose();
                End(new JobOver(new TrainingFailed(_run.Id, failed.Step, failed.Layer, failed.Reason), [], []));
                break;
            case JobCancelled cancelled:
                weights?.Dispose();
                End(new JobOver(new TrainingCancelled(_run.Id, cancelled.Step), [], []));
                break;
        }
    }

    private void End(JobOver over)
    {
        if (_isOver)
        {
            over.GiveUp();
            return;
        }

        _isOver = true;
        over.GoesOnFrom?.Dispose();
        Context.Parent.Tell(new JobEnds(_run.Id));
        _watcher.Tell(over with { GoesOnFrom = null });
        Context.Stop(Self);
    }

    private sealed class OpenAgain : INoSerializationVerificationNeeded
    {
        public static OpenAgain Instance { get; } = new();
    }
}
