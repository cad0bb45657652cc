using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>
/// The part of the queue that has the coordinator's journal. It is opened at the start; where it is lost, because the
/// database is away, jobs run on, and commands wait until it is opened again. Where another process has it, this one ends.
/// </summary>
internal sealed partial class JobQueueActor
{
    private const int MostWaiting = 256;

    private static readonly TimeSpan _openAgain = TimeSpan.FromSeconds(1);

    private readonly JobService _service;
    private readonly JobKeeper _keeper;
    private readonly HeldJournal _held;
    private readonly Queue<(IJobRequest Request, IActorRef Sender)> _early = [];
    private IActorRef? _journal;
    private string _whyLost = "the jobs are being read from the database";
    private long _journalsOpened;
    private bool _isOpen;

    private string WhyNotNow => _journal is not null && _isOpen ? "too many commands wait to be written to the database" : _whyLost;

    private void ReceiveJournal()
    {
        Receive<IJobRequest>(WaitForJournal, _ => !_isOpen);
        Receive<StoreAnswers>(_ => OpenNow());
        Receive<StoreFailed>(failed => OnLost($"the database does not answer: {failed.Reason}"));
        Receive<OpenAgain>(_ => OpenJournal());
        Receive<CoordinatorJournalOpened>(OnOpened, opened => opened.Journal.Equals(_journal));
        Receive<ChangesKept>(_ => _changes.OnKept(), kept => kept.Journal.Equals(_journal));
        Receive<CoordinatorJournalLost>(
            lost =>
            {
                if (lost.IsTaken)
                {
                    // Whatever runs here is run there, too.
                    _keeper.Life?.OnRefused(lost.Reason);
                    Context.Stop(Self);
                }

                OnLost(lost.Reason);
            },
            lost => lost.Journal.Equals(_journal));

        // Of a journal that was given up.
        Receive<CoordinatorJournalOpened>(_ => { });
        Receive<ChangesKept>(_ => { });
        Receive<CoordinatorJournalLost>(_ => { });
    }

    // An actor that persists while the database is away is stopped, and the plugin then refuses everything for a while: it is
    // asked before.
    private void OpenJournal()
    {
        if (_keeper.Storage is { } storage)
        {
            storage.Store.Tell(new ProbeStore("coordinator"));
        }
        else
        {
            _isOpen = true;
            _changes.OpenInMemory();
        }
    }

    private void OpenNow()
    {
        if (_journal is null)
        {
            _journalsOpened++;
            var storage = _keeper.Storage!;
            var journal = new JournalOfCoordinator(storage.Process, _service.Limits, _held.WasHeld)
            {
                SummaryEvery = storage.SummaryEvery,
            };
            _journal = Context.Watch(Context.ActorOf(CoordinatorJournalActor.Props(journal), $"journal-{_journalsOpened}"));
        }
    }

    private void OnOpened(CoordinatorJournalOpened opened)
    {
        _held.WasHeld = true;
        _eventsBegin = CoordinatorHistory.EventsBegin(opened.History.Epoch);
        var isFirst = !_isOpen;
        if (isFirst)
        {
            _isOpen = true;
            _table = opened.History.Table;
            GoOnWithJobs();
            Context.System.EventStream.Publish(Counted());
        }

        _changes.Open(opened.Journal, opened.History.Changes);
        if (isFirst)
        {
            BeginThoseThatFit();
            while (_early.TryDequeue(out var early))
            {
                Self.Tell(early.Request, early.Sender);
            }
        }
    }

    // Those that ran are begun again: their own journals say where they stand. What was wished of them is wished still. Those
    // that others ran stand still; where nothing begins by itself, all wait as they are for somebody who runs them.
    private void GoOnWithJobs()
    {
        foreach (var entry in _table.All.Where(entry => !entry.IsOver).ToList())
        {
            _ = RecordOf(entry);
            if (_loading is null || entry.State != JobState.Running)
            {
                continue;
            }

            if (entry.Submission.IsGiven())
            {
                OnOver(entry.Id, new TrainingPaused(entry.Id, entry.Step), JobSubmission.WhyNotHere);
            }
            else
            {
                Load(entry, hasBegun: true);
            }
        }
    }

    // Its checkpoints and weights; nobody waits for it, and another job never has that name.
    private void Remove(string journalName) =>
        _keeper.Storage?.Store.Tell(new RemoveStates(journalName), ActorRefs.NoSender);

    private void WaitForJournal(IJobRequest request)
    {
        if (_early.Count < MostWaiting)
        {
            _early.Enqueue((request, Sender));
        }
        else
        {
            Sender.Tell(new RequestRefused(Refusal.NotNow, _whyLost));
        }
    }

    private void OnGone(IActorRef actor)
    {
        if (actor.Equals(_journal))
        {
            OnLost("the coordinator's journal has stopped");
        }
    }

    private void OnLost(string reason)
    {
        if (_journal is { } journal)
        {
            Context.Unwatch(journal);
            Context.Stop(journal);
            _journal = null;
            _changes.Lose();
        }

        _whyLost = reason;

        // Whoever waits is told why; those who ask for a change of a table that was open already wait for it.
        while (_early.TryDequeue(out var early))
        {
            early.Sender.Tell(new RequestRefused(Refusal.NotNow, reason));
        }

        Timers.StartSingleTimer(OpenAgain.Instance, OpenAgain.Instance, _openAgain);
    }

    private sealed class OpenAgain : INoSerializationVerificationNeeded
    {
        public static OpenAgain Instance { get; } = new();
    }
}
