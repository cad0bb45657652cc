using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Journal;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>The epochs that a job's journal knows; to whoever had it read.</summary>
/// <param name="Epochs">Oldest first.</param>
internal sealed record EpochsRead(ImmutableList<EpochDecided> Epochs) : INoSerializationVerificationNeeded;

/// <summary>
/// Reads which epochs of a job were decided, for its parent, and stops. It waits for a database that is away; a journal that
/// cannot be read knows no epochs.
/// </summary>
internal sealed class EpochsReader : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _askAgain = TimeSpan.FromSeconds(1);

    private readonly string _journal;
    private readonly IActorRef _store;

    public EpochsReader(string journal, IActorRef store)
    {
        _journal = journal;
        _store = store;

        // Whoever reads a journal while the database is away has the plugin refuse everybody for a while.
        Receive<StoreAnswers>(_ => Context.Watch(Context.ActorOf(Akka.Actor.Props.Create(() => new Reading(journal)))));
        Receive<StoreFailed>(_ => Timers.StartSingleTimer(AskAgain.Instance, AskAgain.Instance, _askAgain));
        Receive<AskAgain>(_ => Ask());
        Receive<EpochsRead>(Tell);
        Receive<Terminated>(_ => Tell(new EpochsRead([])));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>How to make the actor.</summary>
    /// <param name="journal">The journal's name in the database.</param>
    /// <param name="store">In the same database.</param>
    public static Props Props(string journal, IActorRef store) => Akka.Actor.Props.Create(() => new EpochsReader(journal, store));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        Ask();
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void Ask() => _store.Tell(new ProbeStore(_journal));

    private void Tell(EpochsRead read)
    {
        Context.Parent.Tell(read);
        Context.Stop(Self);
    }

    private sealed class AskAgain : INoSerializationVerificationNeeded
    {
        public static AskAgain Instance { get; } = new();
    }

    // Writes nothing: somebody else may have the journal.
    private sealed class Reading : ReceivePersistentActor
    {
        private JobHistory _history = JobHistory.Empty;

        public Reading(string journal)
        {
            PersistenceId = journal;
            Recover<SnapshotOffer>(offer => _history = ((JobSummary)offer.Snapshot).History);
            Recover<JobRecord>(record => _history = _history.After(record));
        }

        public override string PersistenceId { get; }

        protected override void OnReplaySuccess()
        {
            base.OnReplaySuccess();
            Context.Parent.Tell(new EpochsRead(_history.Epochs));
        }
    }
}
