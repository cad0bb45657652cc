using System.Threading.Channels;
using Akka.Actor;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>
/// What is known of one job: its numbered events, how far it has come, and the weights that it ended with. It is the
/// watcher of the job's actor, and takes its events in at once, whoever reads them how slowly: readers come for theirs.
/// </summary>
internal sealed partial class JobRecordActor : ReceiveActor, IWithTimers
{
    private const int MostReaders = 256;

    private static readonly TimeSpan _markEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _answerWithin = TimeSpan.FromSeconds(5);

    private readonly JobEntry _entry;
    private readonly string _id;
    private readonly long _eventsBegin;
    private readonly JobStorage? _storage;
    private readonly EventLog _log;
    private readonly List<(IActorRef Reader, EventsRequest Request)> _readers = [];
    private IActorRef? _job;
    private ChannelWriter<object>? _events;
    private JobOver? _over;
    private IActorRef? _epochsReader;
    private bool _knowsEarlier;
    private object? _wish;
    private JobStart? _goesOnFrom;
    private long _totalSteps;
    private GenerationStarted? _generation;
    private JobMark _told = JobMark.None;

    public JobRecordActor(JobEntry entry, long eventsBegin, JobStorage? storage)
    {
        _entry = entry;
        _id = entry.Id;
        _eventsBegin = eventsBegin;
        _storage = storage;
        _knowsEarlier = storage is null;
        _log = new EventLog(start: eventsBegin);
        Receive<Recorded>(recorded =>
        {
            Append(recorded.Event, recorded.IsNews);
            if (recorded.Event is TrainingCancelled)
            {
                // Also where it had completed before it heard that it was cancelled.
                _weights = null;
            }

            if (recorded.Event is not (TrainingWaiting or TrainingWaits))
            {
                TellRunnerOver(recorded.Event);
            }
        });
        Receive<BeginRun>(begin =>
        {
            // Not the run itself: its data need not stay as long as the weights.
            var run = begin.Run;
            _network = (run.Job, run.Graph);
            _totalSteps = new StepPlan(run.Job.Training, run.Data.Train.Count).TotalSteps;
            _wish = null;
            _events = begin.Events;
            begin.Coordinator.Tell(new SubmitJob(run, Self, _goesOnFrom)
            {
                JournalName = entry.JournalName,
                CoordinatorEpoch = storage is null ? 0 : CoordinatorHistory.EpochOf(_eventsBegin),
                Order = entry.Number,
                Wish = begin.Wish,
                LastEvent = _log.Last,
            });
            _goesOnFrom = null;
        });
        Receive<JobAccepted>(accepted =>
        {
            _job = accepted.Job;

            // A job that goes on may run ahead of what was taken in before it paused.
            if (_log.LastStep is { } taken)
            {
                _job.Tell(new Watched(taken.Step));
            }

            if (_wish is not null)
            {
                _job.Tell(_wish);
            }
        });
        Receive<JobRejected>(rejected => Context.Parent.Tell(new RunOver(_id, new TrainingFailed(_id, 0, null, rejected.Reason))));
        Receive<PauseJob>(Wish);
        Receive<CancelJob>(Wish);
        Receive<JobEvent>(happened =>
        {
            Append(happened.Event);
            if (_events is not null)
            {
                _events.TryWrite(happened);
            }
            else if (happened.Event is StepDone step)
            {
                Sender.Tell(new Watched(step.Step));
            }
        });
        Receive<Watched>(watched => _job?.Tell(watched));
        Receive<JobOver>(End);
        Receive<EventsRequest>(Read);
        Receive<EpochsRead>(read =>
        {
            _log.Recall(read.Epochs.Select(decided => (decided.Number, (TrainingEvent)decided.Epoch)));
            _knowsEarlier = true;
            AnswerReaders(isDue: false);
        });
        Receive<TellMark>(_ => MarkIfChanged());
        Receive<AnswerAll>(_ =>
        {
            AnswerReaders(isDue: true);
            AskAgainInsteadOf(_job);
        });
        ReceiveNetworkRequests();
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>How to make the actor.</summary>
    /// <param name="entry">Which job.</param>
    /// <param name="eventsBegin">Its events have numbers after this one.</param>
    /// <param name="storage">Where its weights outlive this process; null: they do not.</param>
    public static Props Props(JobEntry entry, long eventsBegin, JobStorage? storage) =>
        Akka.Actor.Props.Create(() => new JobRecordActor(entry, eventsBegin, storage));

    protected override void PreStart()
    {
        base.PreStart();
        Timers.StartPeriodicTimer(TellMark.Instance, TellMark.Instance, _markEvery);
        Timers.StartPeriodicTimer(AnswerAll.Instance, AnswerAll.Instance, _answerWithin);
    }

    // What is wished before the job is there is told it when it is.
    private void Wish(object wish)
    {
        _wish = wish;
        _job?.Tell(wish);
    }

    protected override void PostStop()
    {
        _goesOnFrom?.Dispose();
        TellRunnerOver(new TrainingFailed(_id, _log.LastStep?.Step ?? 0, null, "its process stops"));
        base.PostStop();
    }

    // Whoever runs the job in this process is told its last word when it is persisted: what follows may be the process's end.
    private void TellRunnerOver(TrainingEvent recorded)
    {
        if (_events is not { } events)
        {
            return;
        }

        _events = null;
        if (_over is { Event: TrainingCompleted } completed && recorded is TrainingCancelled)
        {
            completed.GiveUp();
            _over = null;
        }

        events.TryWrite(_over ?? new JobOver(recorded, [], []));
        events.TryComplete();
        _over = null;
    }

    private void Append(TrainingEvent happened, bool isNews = true)
    {
        _log.Append(happened);
        if (happened is GenerationStarted generation)
        {
            _generation = generation;
        }

        if (happened is not StepDone)
        {
            MarkIfChanged();
            if (isNews)
            {
                Context.System.EventStream.Publish(new JobHappened(_id, happened));
            }
        }

        AnswerReaders(isDue: false);
        if (_log.IsEnd)
        {
            Timers.CancelAll();
        }
    }

    private void End(JobOver over)
    {
        var job = _job;
        _job = null;
        _goesOnFrom = over.GoesOnFrom;
        _over = _events is null ? null : over with { GoesOnFrom = null };
        if (over is { NeedsForce: true, Event: TrainingFailed failed })
        {
            Context.Parent.Tell(new RunOver(_id, new TrainingPaused(_id, failed.Step), failed.Reason));
        }
        else
        {
            // The weights are whoever's who runs the job, where there is somebody.
            if (_events is null)
            {
                Hold(over);
            }

            Context.Parent.Tell(new RunOver(_id, over.Event));
        }

        AskAgainInsteadOf(job);
    }

    private void Read(EventsRequest request)
    {
        var batch = BatchOf(request);
        if (!batch.Events.IsEmpty || batch.IsEnd)
        {
            Sender.Tell(batch);
        }
        else if (_readers.Count >= MostReaders)
        {
            Sender.Tell(new RequestRefused(Refusal.TooMany, $"{MostReaders} others watch job '{_id}' already"));
        }
        else
        {
            _readers.Add((Sender, request with { After = batch.Next }));
        }
    }

    // Whoever has not come to this coordinator's events is told first which epochs ended under those before it. They are read
    // when somebody asks: for most jobs nobody does.
    private EventBatch BatchOf(EventsRequest request)
    {
        if (_knowsEarlier || request.After >= _eventsBegin)
        {
            return _log.Read(request.After, request.Most, request.ProgressEvery);
        }

        _epochsReader ??= Context.ActorOf(EpochsReader.Props(JobJournalActor.IdOf(_entry.JournalName), _storage!.Store));
        return new EventBatch([], request.After, IsEnd: false);
    }

    // A reader that is gone is forgotten with the next answer, be it an empty one.
    private void AnswerReaders(bool isDue)
    {
        for (var i = _readers.Count - 1; i >= 0; i--)
        {
            var (reader, request) = _readers[i];
            var batch = BatchOf(request);
            if (isDue || !batch.Events.IsEmpty || batch.IsEnd)
            {
                reader.Tell(batch);
                _readers.RemoveAt(i);
            }
            else
            {
                _readers[i] = (reader, request with { After = batch.Next });
            }
        }
    }

    private void MarkIfChanged()
    {
        var step = _log.LastStep;
        var mark = new JobMark(step?.Step ?? 0, _totalSteps, step?.Epoch ?? 0, step?.Loss, _log.Last);
        if (mark != _told)
        {
            _told = mark;
            Context.Parent.Tell(new MarkChanged(_id, mark, _generation));
        }
    }

    private sealed class TellMark : INoSerializationVerificationNeeded
    {
        public static TellMark Instance { get; } = new();
    }

    private sealed class AnswerAll : INoSerializationVerificationNeeded
    {
        public static AnswerAll Instance { get; } = new();
    }
}
