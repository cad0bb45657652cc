using Akka.Actor;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs.Requests;

/// <summary>
/// Decisions about the table of jobs, one after the other: each is made on the table as the one before has left it, has its
/// changes kept in the journal where there is one, and only then they are applied, and what follows is done.
/// </summary>
/// <param name="apply">Applies a decision's changes to the table, and does what they mean.</param>
/// <param name="queue">Is answered by the journal.</param>
internal sealed class TableChanges(Action<JobDecision> apply, IActorRef queue)
{
    private readonly Queue<(Func<JobDecision> Decide, Action<JobDecision> Then)> _waiting = [];
    private (JobDecision Decision, Action<JobDecision> Then)? _underWay;
    private IActorRef? _journal;
    private bool _isOpen;
    private bool _isDurable;

    /// <summary>Decisions that wait for those before them.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>How many changes of the table were made, ≥ 0: its journal's as it was opened, and those since.</summary>
    public long Made { get; private set; }

    /// <summary>From now on decisions are made, and kept nowhere.</summary>
    public void OpenInMemory()
    {
        _isOpen = true;
        GoOn();
    }

    /// <summary>From now on decisions are made, and kept by this journal.</summary>
    /// <param name="journal">Its actor.</param>
    /// <param name="made">The changes that it has.</param>
    /// <exception cref="JournalException">It does not have what it had.</exception>
    public void Open(IActorRef journal, long made)
    {
        if (_isOpen && made != Made && made != Made + (_underWay?.Decision.Events.Length ?? 0))
        {
            throw new JournalException($"the coordinator's journal has {made} changes, and has had {Made} at least");
        }

        var isKept = _isOpen && made > Made;
        _journal = journal;
        _isDurable = true;
        if (!_isOpen)
        {
            _isOpen = true;
            Made = made;
        }

        if (isKept)
        {
            // What nobody could say when the journal was lost: it was persisted.
            OnKept();
        }
        else if (_underWay is { } underWay)
        {
            journal.Tell(new KeepChanges(underWay.Decision.Events), queue);
        }

        GoOn();
    }

    /// <summary>The journal is gone: decisions wait until it is opened again.</summary>
    public void Lose() => _journal = null;

    /// <summary>The changes under way are durable.</summary>
    public void OnKept()
    {
        var (decision, then) = _underWay!.Value;
        _underWay = null;
        Make(decision, then);
        GoOn();
    }

    /// <summary>Has a decision made when its turn comes.</summary>
    /// <param name="decide">Makes it.</param>
    /// <param name="then">What follows when its changes are made; at once where there are none.</param>
    public void Add(Func<JobDecision> decide, Action<JobDecision> then)
    {
        _waiting.Enqueue((decide, then));
        GoOn();
    }

    private void GoOn()
    {
        while (_isOpen && _underWay is null && _waiting.TryDequeue(out var next))
        {
            var decision = next.Decide();
            if (decision.Events.IsEmpty || !_isDurable)
            {
                Make(decision, next.Then);
            }
            else
            {
                _underWay = (decision, next.Then);
                _journal?.Tell(new KeepChanges(decision.Events), queue);
            }
        }
    }

    private void Make(JobDecision decision, Action<JobDecision> then)
    {
        Made += decision.Events.Length;
        apply(decision);
        then(decision);
    }
}
