using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>
/// The jobs of a cluster: answers requests and has those run whose turn has come. What may become of a job is
/// <see cref="JobTable"/>'s to say; each has a <see cref="JobRecordActor"/> here, which watches it and, when it begins,
/// hands it to the coordinator, this actor's parent. Where there is a database the table outlives the process: its changes
/// are in the coordinator's journal before they are told.
/// </summary>
internal sealed partial class JobQueueActor : ReceiveActor, IWithTimers
{
    /// <summary>The actor's name.</summary>
    public const string Name = "queue";

    private readonly IActorRef _directory;
    private readonly IJobLoading? _loading;
    private readonly TableChanges _changes;
    private readonly Dictionary<string, Record> _records = new(StringComparer.Ordinal);
    private JobTable _table;
    private ImmutableArray<NodeInfo> _workers = [];
    private readonly KeptWeights _weights = new();
    private long _eventsBegin;
    private long _recordsMade;

    public JobQueueActor(IActorRef directory, JobService service, JobKeeper keeper, HeldJournal held)
    {
        _directory = directory;
        _loading = service.Loading;
        _table = new JobTable(service.Limits);
        _changes = new TableChanges(Apply, Self);
        (_service, _keeper, _held) = (service, keeper, held);
        ReceiveJournal();
        ReceiveRequests();
        Receive<RunRequest>(OnRun);
        Receive<NodesChanged>(changed =>
        {
            _workers = changed.Nodes;
            BeginThoseThatFit();
        });
        Receive<JobLoaded>(OnLoaded);
        Receive<LoadAgain>(again => OnLoadAgain(again.Id));
        Receive<MarkChanged>(changed => Update(changed.Id, record => record with { Mark = changed.Mark, Newest = changed.Generation }));
        Receive<RunOver>(over => OnOver(over.Id, over.Outcome, over.Why));
        Receive<WeightsHeld>(held =>
        {
            foreach (var id in _weights.Add(held.Id, held.Bytes).Where(_records.ContainsKey))
            {
                _records[id].Actor.Tell(new ForgetWeights());
            }
        });
        Receive<Terminated>(gone =>
        {
            OnGone(gone.ActorRef);
            foreach (var id in _records.Where(pair => pair.Value.Actor.Equals(gone.ActorRef)).Select(pair => pair.Key).ToList())
            {
                OnOver(id, new TrainingFailed(id, _records[id].Mark.Step, null, "the record of the job itself has stopped"));
            }
        });
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    private int Threads => _workers.Where(worker => worker.Presence == NodePresence.Up).Sum(worker => worker.Description.Threads);

    /// <summary>How to make the actor.</summary>
    /// <param name="directory">Knows the nodes.</param>
    /// <param name="service">Its jobs.</param>
    /// <param name="keeper">What this process has.</param>
    /// <param name="held">Whether this process has had the journal; kept where this actor is started anew.</param>
    public static Props Props(IActorRef directory, JobService service, JobKeeper keeper, HeldJournal held) =>
        Akka.Actor.Props.Create(() => new JobQueueActor(directory, service, keeper, held));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        _directory.Tell(new WatchNodes());
        OpenJournal();
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void ReceiveRequests()
    {
        Receive<CommandRequest>(request => OnCommand(request.Command));
        Receive<StatusRequest>(request => Answer(request.Id, entry => Sender.Tell(StatusOf(entry))));
        Receive<EventsRequest>(request => Answer(request.Id, entry => RecordOf(entry).Actor.Forward(request)));
        Receive<NetworkRequest>(request => Answer(request.Id, entry => RecordOf(entry).Actor.Forward(request)));
        Receive<PlacementRequest>(request => Answer(
            request.Id, _ => Sender.Tell(new JobPlacement(_records.GetValueOrDefault(request.Id)?.Newest))));
        Receive<ListRequest>(request =>
        {
            var found = _table.All
                .Where(entry => entry.Number > request.After && (request.States.IsEmpty || request.States.Contains(entry.State)))
                .Take(request.Most + 1)
                .ToList();
            Sender.Tell(new JobList([.. found.Take(request.Most).Select(StatusOf)], found.Count > request.Most));
        });
        Receive<WorkersRequest>(_ => Sender.Tell(new WorkerList(_workers, JobsOfWorkers())));
    }

    // Only what nobody outside may say comes from elsewhere.
    private void OnCommand(JobCommand command)
    {
        if (_changes.Waiting >= MostWaiting)
        {
            Sender.Tell(new RequestRefused(Refusal.NotNow, WhyNotNow));
            return;
        }

        JobEntry? before = null;
        var sender = Sender;
        _changes.Add(
            () =>
            {
                before = _table.Find(command.Id);
                return _table.Process(command);
            },
            decision =>
            {
                BeginThoseThatFit();

                // A job that was deleted is told as it was.
                sender.Tell(
                    decision.Refusal is { } refusal ? new RequestRefused(refusal, decision.Reason)
                    : _table.Find(command.Id) is { } entry ? StatusOf(entry)
                    : new JobStatus(before!, "", 0, JobMark.None));
            });
    }

    /// <summary>
    /// The one place where the table changes: what changes is durable, it is applied, then told. A journal's recovery applies
    /// the same changes without telling anybody.
    /// </summary>
    private void Apply(JobDecision decision)
    {
        foreach (var change in decision.Events)
        {
            if (change is JobDeleted)
            {
                Remove(_table.Find(change.Id)!.JournalName);
            }

            _table.Apply(change);
            Follow(change);
        }

        Context.System.EventStream.Publish(Counted());
    }

    // What a change means for those outside the table.
    private void Follow(JobTableEvent change)
    {
        switch (change)
        {
            case JobSubmitted:
                RecordOf(_table.Find(change.Id)!);
                break;
            case JobDeleted:
                if (_records.Remove(change.Id, out var gone))
                {
                    Context.Unwatch(gone.Actor);
                    Context.Stop(gone.Actor);
                }

                break;
            case JobBegan:
                if (!_runHere.Contains(change.Id))
                {
                    Load(_table.Find(change.Id)!);
                }

                break;
            case JobWished wished:
                _records[change.Id].Actor.Tell(wished.Wish == JobWish.Cancel ? new CancelJob() : new PauseJob());
                HurryLoad(change.Id);
                break;
            case JobPaused paused:
                _records[change.Id].Actor.Tell(new Recorded(new TrainingPaused(change.Id, paused.Step)));
                break;
            case JobResumed:
                _records[change.Id].Actor.Tell(new Recorded(new TrainingWaiting(change.Id)));
                break;
            case JobEnded ended:
                _records[change.Id].Actor.Tell(new Recorded(ended.Outcome));
                break;
        }
    }

    private void BeginThoseThatFit() => _changes.Add(
        () => _loading is not null && _table.NextToBegin(Threads) is { } next ? _table.Process(new BeginCommand(next.Id)) : JobDecision.Done(),
        decision =>
        {
            if (!decision.Events.IsEmpty)
            {
                BeginThoseThatFit();
            }
        });

    private void OnOver(string id, TrainingEvent outcome, string why = "")
    {
        ForgetLoad(id);
        void Then(JobDecision decision)
        {
            _runHere.Remove(id);
            BeginThoseThatFit();
        }

        if (outcome is TrainingPaused { Step: var step })
        {
            Update(id, record => record with { Mark = record.Mark with { Step = step } });
            _changes.Add(() => _table.Process(new StoodStill(id, step, why)), Then);
        }
        else
        {
            _changes.Add(() => _table.Process(new Ended(id, outcome)), Then);
        }
    }

    private void Answer(string id, Action<JobEntry> answer)
    {
        if (_table.Find(id) is { } entry)
        {
            answer(entry);
        }
        else
        {
            Sender.Tell(new RequestRefused(Refusal.NotFound, $"there is no job '{id}'"));
        }
    }

    private JobStatus StatusOf(JobEntry entry)
    {
        var threads = Threads;
        return new JobStatus(entry, WhyNotLoaded(entry) ?? _table.ReasonOf(entry, threads), _table.PositionOf(entry), MarkOf(entry));
    }

    private JobsCounted Counted() => new(
        _table.CountOf(JobState.Waiting), _table.CountOf(JobState.Running), _table.CountOf(JobState.Paused));

    private ImmutableDictionary<string, ImmutableArray<string>> JobsOfWorkers() => _table.All
        .Where(entry => entry.State == JobState.Running)
        .SelectMany(entry => RecordOf(entry).Newest is { } newest
            ? newest.Placement.Nodes.Select(node => (node, entry.Id))
            : [])
        .GroupBy(pair => pair.node, pair => pair.Id)
        .ToImmutableDictionary(group => group.Key, group => group.ToImmutableArray());

    // What ended under an earlier coordinator is known by its last word alone.
    private JobMark MarkOf(JobEntry entry)
    {
        var mark = _records.TryGetValue(entry.Id, out var record) ? record.Mark : JobMark.None with { LastEvent = _eventsBegin + 1 };
        return mark with
        {
            Step = Math.Max(mark.Step, entry.Step),
            TotalSteps = entry.Outcome is TrainingCompleted completed ? completed.Steps : mark.TotalSteps,
        };
    }

    // Made when somebody asks for it: there may be many that nobody does.
    private Record RecordOf(JobEntry entry)
    {
        if (_records.TryGetValue(entry.Id, out var known))
        {
            return known;
        }

        _recordsMade++;
        var actor = Context.ActorOf(JobRecordActor.Props(entry, _eventsBegin, _keeper.Storage), $"record-{_recordsMade}");
        var isNews = entry.State is JobState.Waiting or JobState.Running;
        actor.Tell(new Recorded(
            entry switch
            {
                { Outcome: { } outcome } => outcome,
                { State: JobState.Paused } => new TrainingPaused(entry.Id, entry.Step),
                _ => new TrainingWaiting(entry.Id),
            },
            isNews));
        return _records[entry.Id] = new Record(Context.Watch(actor), JobMark.None, null);
    }

    private void Update(string id, Func<Record, Record> change)
    {
        if (_records.TryGetValue(id, out var record))
        {
            _records[id] = change(record);
        }
    }

    private sealed record Record(IActorRef Actor, JobMark Mark, GenerationStarted? Newest);
}
