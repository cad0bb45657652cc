using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>
/// The jobs of a cluster: answers requests and has those run whose turn has come. What may become of a job is
/// <see cref="JobTable"/>'s to say; each has a <see cref="JobRecordActor"/> here, which watches it and, when it begins,
/// hands it to the coordinator, this actor's parent.
/// </summary>
internal sealed class JobQueueActor : ReceiveActor
{
    /// <summary>The actor's name.</summary>
    public const string Name = "queue";

    private readonly IActorRef _directory;
    private readonly IJobLoading _loading;
    private readonly JobTable _table;
    private readonly Dictionary<string, Record> _records = new(StringComparer.Ordinal);
    private ImmutableArray<NodeInfo> _workers = [];
    private readonly KeptWeights _weights = new();
    private long _recordsMade;

    public JobQueueActor(IActorRef directory, IJobLoading loading, JobTableLimits limits)
    {
        _directory = directory;
        _loading = loading;
        _table = new JobTable(limits);
        ReceiveRequests();
        Receive<NodesChanged>(changed =>
        {
            _workers = changed.Nodes;
            BeginThoseThatFit();
        });
        Receive<JobLoaded>(OnLoaded);
        Receive<MarkChanged>(changed => Update(changed.Id, record => record with { Mark = changed.Mark, Newest = changed.Generation }));
        Receive<RunOver>(over =>
        {
            OnOver(over.Id, over.Outcome);
            foreach (var id in _weights.Add(over.Id, over.WeightBytes).Where(_records.ContainsKey))
            {
                _records[id].Actor.Tell(new ForgetWeights());
            }
        });
        Receive<Terminated>(gone =>
        {
            foreach (var id in _records.Where(pair => pair.Value.Actor.Equals(gone.ActorRef)).Select(pair => pair.Key).ToList())
            {
                OnOver(id, new TrainingFailed(id, _records[id].Mark.Step, null, "the record of the job itself has stopped"));
            }
        });
    }

    private int Threads => _workers.Where(worker => worker.Presence == NodePresence.Up).Sum(worker => worker.Description.Threads);

    /// <summary>How to make the actor.</summary>
    public static Props Props(IActorRef directory, IJobLoading loading, JobTableLimits limits) =>
        Akka.Actor.Props.Create(() => new JobQueueActor(directory, loading, limits));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        _directory.Tell(new WatchNodes());
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void ReceiveRequests()
    {
        Receive<CommandRequest>(request => OnCommand(request.Command));
        Receive<StatusRequest>(request => Answer(request.Id, entry => Sender.Tell(StatusOf(entry))));
        Receive<EventsRequest>(request => Answer(request.Id, _ => _records[request.Id].Actor.Forward(request)));
        Receive<NetworkRequest>(request => Answer(request.Id, _ => _records[request.Id].Actor.Forward(request)));
        Receive<PlacementRequest>(request => Answer(
            request.Id, _ => Sender.Tell(new JobPlacement(_records[request.Id].Newest))));
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

    private void OnCommand(JobCommand command)
    {
        // Only what nobody outside may say comes from elsewhere.
        var decision = _table.Process(command);
        if (decision.Refusal is { } refusal)
        {
            Sender.Tell(new RequestRefused(refusal, decision.Reason));
            return;
        }

        var before = _table.Find(command.Id);
        var sender = Sender;
        Commit(decision.Events, () =>
        {
            BeginThoseThatFit();

            // A job that was deleted is told as it was.
            sender.Tell(_table.Find(command.Id) is { } entry ? StatusOf(entry) : new JobStatus(before!, "", 0, JobMark.None));
        });
    }

    /// <summary>
    /// The one place where the table changes: what changes is persisted first, then applied, then told. A journal's
    /// recovery applies the same changes without telling anybody.
    /// </summary>
    private void Commit(ImmutableArray<JobTableEvent> changes, Action then)
    {
        foreach (var change in changes)
        {
            _table.Apply(change);
            Follow(change);
        }

        then();
    }

    // What a change means for those outside the table.
    private void Follow(JobTableEvent change)
    {
        switch (change)
        {
            case JobSubmitted:
                _recordsMade++;
                var actor = Context.ActorOf(JobRecordActor.Props(change.Id), $"record-{_recordsMade}");
                _records[change.Id] = new Record(Context.Watch(actor), JobMark.None, null);
                actor.Tell(new Recorded(new TrainingWaiting(change.Id)));
                break;
            case JobDeleted:
                if (_records.Remove(change.Id, out var gone))
                {
                    Context.Unwatch(gone.Actor);
                    Context.Stop(gone.Actor);
                }

                break;
            case JobBegan:
                _loading.Load(_table.Find(change.Id)!.Submission, Self);
                break;
            case JobWished wished:
                _records[change.Id].Actor.Tell(wished.Wish == JobWish.Cancel ? new CancelJob() : new PauseJob());
                break;
            case JobPaused:
                _records[change.Id].Actor.Tell(new Recorded(new TrainingPaused(change.Id, _records[change.Id].Mark.Step)));
                break;
            case JobResumed:
                _records[change.Id].Actor.Tell(new Recorded(new TrainingWaiting(change.Id)));
                break;
            case JobEnded ended:
                _records[change.Id].Actor.Tell(new Recorded(ended.Outcome));
                break;
        }
    }

    private void BeginThoseThatFit()
    {
        if (_table.NextToBegin(Threads) is { } next)
        {
            Commit(_table.Process(new BeginCommand(next.Id)).Events, BeginThoseThatFit);
        }
    }

    private void OnLoaded(JobLoaded loaded)
    {
        if (_table.Find(loaded.Id) is not { State: JobState.Running } entry)
        {
            return;
        }

        if (loaded.Run is not { } run)
        {
            OnOver(loaded.Id, new TrainingFailed(loaded.Id, 0, null, loaded.Reason!));
        }
        else if (entry.Wish == JobWish.Cancel)
        {
            OnOver(loaded.Id, new TrainingCancelled(loaded.Id, _records[loaded.Id].Mark.Step));
        }
        else if (entry.Wish == JobWish.Pause)
        {
            OnOver(loaded.Id, new TrainingPaused(loaded.Id, _records[loaded.Id].Mark.Step));
        }
        else
        {
            _records[loaded.Id].Actor.Tell(new BeginRun(run, Context.Parent));
        }
    }

    private void OnOver(string id, TrainingEvent outcome)
    {
        JobCommand command = outcome is TrainingPaused ? new StoodStill(id) : new Ended(id, outcome);
        if (outcome is TrainingPaused paused)
        {
            Update(id, record => record with { Mark = record.Mark with { Step = paused.Step } });
        }

        var decision = _table.Process(command);
        if (decision.Refusal is null)
        {
            Commit(decision.Events, BeginThoseThatFit);
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
        return new JobStatus(entry, _table.ReasonOf(entry, threads), _table.PositionOf(entry), _records[entry.Id].Mark);
    }

    private ImmutableDictionary<string, ImmutableArray<string>> JobsOfWorkers() => _table.All
        .Where(entry => entry.State == JobState.Running)
        .SelectMany(entry => _records[entry.Id].Newest is { } newest
            ? newest.Placement.Nodes.Select(node => (node, entry.Id))
            : [])
        .GroupBy(pair => pair.node, pair => pair.Id)
        .ToImmutableDictionary(group => group.Key, group => group.ToImmutableArray());

    private void Update(string id, Func<Record, Record> change)
    {
        if (_records.TryGetValue(id, out var record))
        {
            _records[id] = change(record);
        }
    }

    private sealed record Record(IActorRef Actor, JobMark Mark, GenerationStarted? Newest);
}
