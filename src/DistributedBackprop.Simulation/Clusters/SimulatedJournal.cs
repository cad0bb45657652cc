using Akka.Actor;
using Akka.Persistence;
using Akka.Persistence.Journal;
using Akka.Serialization;
using DistributedBackprop.Actors.Journal;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// A journal plugin over a simulated disk: events pass through the real serializer, one request is done after the other, and
/// a sequence number that is there already is a conflict, as in the real database.
/// </summary>
internal sealed class SimulatedJournal : WriteJournalBase, IWithTimers
{
    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(100);

    private readonly SimulatedNode _node;
    private readonly SimulatedDisk _disk;
    private readonly KeyedGenerator _draws;
    private readonly Queue<object> _waiting = [];
    private bool _isBusy;

    public SimulatedJournal()
    {
        _node = SimulatedScheduler.NodeOf(Context.System.Scheduler);
        _disk = _node.Disk ?? throw new SimulationException($"{_node.Label} has no disk, and keeps a journal");
        _draws = _node.Loop.Generator($"journal/{_node.Ordinal}");
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>What an actor system needs to keep journals on a simulated disk.</summary>
    public static string Hocon => $$"""
        akka.persistence {
          journal.plugin = "akka.persistence.journal.simulated"
          journal.simulated {
            class = "{{NameOf<SimulatedJournal>()}}"
            plugin-dispatcher = "akka.actor.default-dispatcher"
          }
          snapshot-store.plugin = "akka.persistence.snapshot-store.simulated"
          snapshot-store.simulated {
            class = "{{NameOf<NoSnapshots>()}}"
            plugin-dispatcher = "akka.actor.default-dispatcher"
          }
        }
        {{JournalSerializer.Hocon}}
        """;

    /// <inheritdoc/>
    protected override bool Receive(object message)
    {
        switch (message)
        {
            case Due due:
                Do(due.Request);
                return true;
            case WriteMessages or ReplayMessages or DeleteMessagesTo:
                _waiting.Enqueue(message);
                Next();
                return true;
            default:
                return false;
        }
    }

    private static string NameOf<T>() => $"{typeof(T).FullName}, {typeof(T).Assembly.GetName().Name}";

    private void Next()
    {
        if (!_isBusy && _waiting.TryDequeue(out var request))
        {
            _isBusy = true;
            After(request);
        }
    }

    private void After(object request) => Timers.StartSingleTimer(
        "due", new Due(request), _disk.Feels(_disk.IsAway, nameof(_disk.IsAway)) ? _again : _draws.Between(TimeSpan.FromTicks(1), _disk.Delay()) / 4);

    private void Do(object request)
    {
        if (_disk.IsAway)
        {
            After(request);
            return;
        }

        switch (request)
        {
            case WriteMessages write:
                Write(write);
                break;
            case ReplayMessages replay:
                Replay(replay);
                break;
            case DeleteMessagesTo delete:
                Delete(delete);
                break;
        }

        _isBusy = false;
        Next();
    }

    private void Write(WriteMessages write)
    {
        var events = write.Messages.OfType<AtomicWrite>()
            .SelectMany(atomic => (IEnumerable<IPersistentRepresentation>)atomic.Payload)
            .ToList();
        var taken = events.Find(written => _disk.RefusesTakenNumbers && _disk.Journal(written.PersistenceId).ContainsKey(written.SequenceNr));
        if (_disk.Feels(_disk.Fails, nameof(_disk.Fails)) || taken is not null)
        {
            var cause = new InvalidOperationException(taken is null
                ? "the simulated disk fails"
                : $"event {taken.SequenceNr} of {taken.PersistenceId} is there already");
            TellFailed(write, events, cause);
            return;
        }

        foreach (var written in events)
        {
            _disk.Audit.OnCommitted(written.PersistenceId, written.SequenceNr, written.Payload, _node);
            if (_disk.EventInterceptor?.Invoke(written.Payload) != false)
            {
                var serializer = (SerializerWithStringManifest)Context.System.Serialization.FindSerializerFor(written.Payload);
                var entry = new JournalEntry(
                    serializer.Manifest(written.Payload), serializer.ToBinary(written.Payload), written.Payload);
                Keep(written.Payload, () => _disk.Append(written.PersistenceId, written.SequenceNr, entry));
            }
        }

        if (LosesAnswer())
        {
            TellFailed(write, events, new InvalidOperationException("the connection to the simulated disk is lost"));
            return;
        }

        write.PersistentActor.Tell(WriteMessagesSuccessful.Instance, Self);
        foreach (var written in events)
        {
            write.PersistentActor.Tell(new WriteMessageSuccess(written, write.ActorInstanceId), written.Sender);
        }
    }

    private bool LosesAnswer() => _disk.Feels(_disk.LosesAnswers && _draws.Chance(0.5), nameof(_disk.LosesAnswers));

    private void TellFailed(WriteMessages write, List<IPersistentRepresentation> events, InvalidOperationException cause)
    {
        write.PersistentActor.Tell(new WriteMessagesFailed(cause, events.Count), Self);
        foreach (var failed in events)
        {
            write.PersistentActor.Tell(new WriteMessageFailure(failed, cause, write.ActorInstanceId), failed.Sender);
        }
    }

    private void Keep(object written, Action append)
    {
        if (_disk.KeepsBehind is { } later)
        {
            later(_node, written, append);
        }
        else
        {
            append();
        }
    }

    private void Replay(ReplayMessages replay)
    {
        if (_disk.Feels(_disk.Fails, nameof(_disk.Fails)))
        {
            replay.PersistentActor.Tell(new ReplayMessagesFailure(new InvalidOperationException("the simulated disk fails")), Self);
            return;
        }

        var journal = _disk.Journal(replay.PersistenceId);
        var serializer = Context.System.Serialization.FindSerializerForType(typeof(IJournalEvent));
        foreach (var (number, entry) in journal.Where(entry => entry.Key >= replay.FromSequenceNr && entry.Key <= replay.ToSequenceNr))
        {
            var payload = ((SerializerWithStringManifest)serializer).FromBinary(entry.Bytes, entry.Manifest);
            replay.PersistentActor.Tell(
                new ReplayedMessage(new Persistent(payload, number, replay.PersistenceId, entry.Manifest)), ActorRefs.NoSender);
        }

        replay.PersistentActor.Tell(new RecoverySuccess(_disk.Highest(replay.PersistenceId)), Self);
    }

    private void Delete(DeleteMessagesTo delete)
    {
        if (_disk.Feels(_disk.Fails, nameof(_disk.Fails)))
        {
            delete.PersistentActor.Tell(
                new DeleteMessagesFailure(new InvalidOperationException("the simulated disk fails"), delete.ToSequenceNr), Self);
            return;
        }

        _disk.DeleteUpTo(delete.PersistenceId, delete.ToSequenceNr);
        delete.PersistentActor.Tell(new DeleteMessagesSuccess(delete.ToSequenceNr), Self);
    }

    // No record: what it prints would enter the trace, and Akka numbers persistent actors over the whole process.
    private sealed class Due(object request) : INoSerializationVerificationNeeded
    {
        public object Request { get; } = request;
    }
}

/// <summary>A snapshot store of which nobody asks anything but whether there is one.</summary>
internal sealed class NoSnapshots : ActorBase
{
    /// <inheritdoc/>
    protected override bool Receive(object message)
    {
        if (message is LoadSnapshot load)
        {
            Sender.Tell(new LoadSnapshotResult(null, load.ToSequenceNr));
            return true;
        }

        return false;
    }
}
