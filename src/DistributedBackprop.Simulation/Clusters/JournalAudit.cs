using DistributedBackprop.Actors.Journal;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// Looks on while journals are written: who has taken each of them over, whether anybody else commits to it in that epoch,
/// and whether what was kept is there at the end. What was kept although its writer was told otherwise counts as well: whoever
/// reads the journal next goes on from it.
/// </summary>
internal sealed class JournalAudit
{
    private readonly SortedDictionary<string, Journal> _journals = new(StringComparer.Ordinal);
    private readonly List<string> _doubleCommits = [];

    /// <summary>Events that are kept.</summary>
    public long Commits { get; private set; }

    /// <summary>Epochs that have begun, over all journals.</summary>
    public long Epochs { get; private set; }

    /// <summary>An event is about to be kept.</summary>
    /// <param name="name">Of which journal.</param>
    /// <param name="number">Its number there.</param>
    /// <param name="payload">The event.</param>
    /// <param name="writer">The host that has it written.</param>
    public void OnCommitted(string name, long number, object payload, SimulatedNode writer)
    {
        Commits++;
        if (!_journals.TryGetValue(name, out var journal))
        {
            _journals.Add(name, journal = new Journal());
        }

        if (EpochOf(payload) is { } epoch)
        {
            Epochs++;
            if (epoch <= journal.Epoch)
            {
                _doubleCommits.Add($"{writer.Label} takes {name} over as epoch {epoch}, which {journal.Holder?.Label} has begun");
            }

            (journal.Epoch, journal.Holder) = (epoch, writer);
        }
        else if (journal.Holder != writer)
        {
            _doubleCommits.Add(
                $"{writer.Label} commits {payload.GetType().Name} to {name} in epoch {journal.Epoch}, which is {journal.Holder?.Label}'s");
        }

        journal.Events[number] = payload;
    }

    /// <summary>Events were deleted.</summary>
    public void OnDeleted(string name, long upTo)
    {
        if (_journals.TryGetValue(name, out var journal))
        {
            journal.Events.Keys.TakeWhile(number => number <= upTo).ToList().ForEach(number => journal.Events.Remove(number));
        }
    }

    /// <summary>The events of a journal that were kept, in their order.</summary>
    public IEnumerable<object> EventsOf(string name) => _journals.TryGetValue(name, out var journal) ? journal.Events.Values : [];

    /// <summary>What is wrong: two that commit in one epoch, and events that are lost.</summary>
    public IEnumerable<string> Problems(SimulatedDisk disk) => _doubleCommits.Concat(
        from journal in _journals
        let kept = disk.Journal(journal.Key)
        from entry in journal.Value.Events
        where kept.GetValueOrDefault(entry.Key) is not { } found || !ReferenceEquals(found.Payload, entry.Value)
        select $"event {entry.Key} of {journal.Key} ({entry.Value.GetType().Name}) was acknowledged, and is lost");

    private static long? EpochOf(object payload) => payload switch
    {
        CoordinatorTookOver tookOver => tookOver.Epoch,
        JobTookOver tookOver => tookOver.Epoch,
        _ => null,
    };

    private sealed class Journal
    {
        public SortedDictionary<long, object> Events { get; } = [];

        public long Epoch { get; set; }

        public SimulatedNode? Holder { get; set; }
    }
}
