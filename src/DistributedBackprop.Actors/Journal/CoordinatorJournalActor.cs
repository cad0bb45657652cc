using Akka.Actor;
using Akka.Persistence;

namespace DistributedBackprop.Actors.Journal;

/// <summary>
/// Keeps the coordinator's journal for whoever opens it, its parent: what it is asked to keep is durable when it answers.
/// <para>
/// In the order in which it happens: the journal is read; the takeover is persisted, so that whoever had it before meets a
/// conflict at its next event; the parent is told <see cref="CoordinatorJournalOpened"/>; changes are kept, and after many of
/// them a summary, so that reading them again takes bounded time. An actor that
/// cannot persist is stopped by Akka: the parent is told why, and opens the journal again. If another process has taken over
/// by then, it hears that instead: two coordinators that take it from each other would go on for ever.
/// </para>
/// </summary>
public sealed class CoordinatorJournalActor : ReceivePersistentActor
{
    private readonly JournalOfCoordinator _journal;
    private readonly JournalSummaries _summaries;
    private CoordinatorHistory _history;

    /// <summary>Makes the actor.</summary>
    /// <param name="journal">Whose it is.</param>
    public CoordinatorJournalActor(JournalOfCoordinator journal)
    {
        ArgumentNullException.ThrowIfNull(journal);
        _journal = journal;
        _history = new CoordinatorHistory(journal.Limits);
        _summaries = new JournalSummaries(journal.SummaryEvery);
        Recover<SnapshotOffer>(offer =>
        {
            _summaries.OnRead(offer);
            _history = CoordinatorHistory.Of((CoordinatorSummary)offer.Snapshot, journal.Limits);
        });
        Recover<CoordinatorRecord>(record => _history.Apply(record));
        Recover<RecoveryCompleted>(_ => TakeOver());
        Command<KeepChanges>(Keep);
        Command<SaveSnapshotSuccess>(saved => DeleteSnapshots(JournalSummaries.Before(saved)));
        Command<ISnapshotResponse>(_ => { });
    }

    /// <inheritdoc/>
    public override string PersistenceId => "coordinator";

    /// <summary>How to make the actor.</summary>
    public static Props Props(JournalOfCoordinator journal) => Akka.Actor.Props.Create(() => new CoordinatorJournalActor(journal));

    /// <inheritdoc/>
    protected override void OnRecoveryFailure(Exception reason, object? message = null) =>
        Lose($"the coordinator's journal cannot be read: {reason?.Message}", isTaken: false);

    /// <inheritdoc/>
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) =>
        Lose($"{@event.GetType().Name} was not persisted: {cause.Message}", isTaken: false);

    /// <inheritdoc/>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        Lose($"{@event.GetType().Name} was refused: {cause.Message}", isTaken: false);
        Context.Stop(Self);
    }

    private void TakeOver()
    {
        if (_journal.WasHeld && _history.Process != _journal.Process)
        {
            Lose($"another process coordinates now: {_history.Process} (it has taken over as number {_history.Epoch})", isTaken: true);
            Context.Stop(Self);
            return;
        }

        Persist(new CoordinatorTookOver(_history.Epoch + 1, _journal.Process), tookOver =>
        {
            _history.Apply(tookOver);
            Context.Parent.Tell(new CoordinatorJournalOpened(Self, _history.Copy()));
        });
    }

    private void Keep(KeepChanges keep)
    {
        var left = keep.Changes.Length;
        PersistAll(keep.Changes.Select(change => new TableChanged(change)), changed =>
        {
            _history.Apply(changed);
            left--;
            if (left == 0)
            {
                Context.Parent.Tell(new ChangesKept(Self));
                SumUpIfDue();
            }
        });
    }

    private void SumUpIfDue()
    {
        if (_summaries.IsDue(LastSequenceNr))
        {
            SaveSnapshot(_history.Summary);
        }
    }

    private void Lose(string reason, bool isTaken) => Context.Parent.Tell(new CoordinatorJournalLost(Self, reason, isTaken));
}
