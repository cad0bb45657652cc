using System.Collections.Immutable;

namespace DistributedBackprop.Actors.Journal;

/// <summary>What the coordinator knows of one job without asking it.</summary>
/// <param name="JobId">Names it.</param>
/// <param name="Name">Its name, for people.</param>
/// <param name="Order">Jobs are placed in this order.</param>
/// <param name="Ended">How it ended; null where it is not over.</param>
public sealed record JobEntry(string JobId, string Name, long Order, JobSummary? Ended);

/// <summary>What the coordinator knows of the past: its journal, folded. Pure.</summary>
public sealed record CoordinatorHistory
{
    private CoordinatorHistory()
    {
    }

    /// <summary>Of a journal without events.</summary>
    public static CoordinatorHistory Empty { get; } = new();

    /// <summary>The last one that took over; 0 before the first.</summary>
    public long Epoch { get; private init; }

    /// <summary>The order of the newest job; 0 before the first.</summary>
    public long LastOrder { get; private init; }

    /// <summary>All jobs that were not deleted, in their order.</summary>
    public ImmutableSortedDictionary<long, JobEntry> Jobs { get; private init; } = ImmutableSortedDictionary<long, JobEntry>.Empty;

    private ImmutableDictionary<string, long> Orders { get; init; } =
        ImmutableDictionary.Create<string, long>(StringComparer.Ordinal);

    /// <summary>A job; null where there is none of that id.</summary>
    public JobEntry? Find(string jobId) => Orders.TryGetValue(jobId, out var order) ? Jobs[order] : null;

    /// <summary>What the coordinator knows after an event.</summary>
    /// <exception cref="JournalException">That cannot have happened now.</exception>
    public CoordinatorHistory After(CoordinatorRecord record) => record switch
    {
        CoordinatorTookOver tookOver when tookOver.Epoch > Epoch => this with { Epoch = tookOver.Epoch },
        CoordinatorTookOver tookOver =>
            throw Impossible(record, $"its number must be larger than {Epoch} (was {tookOver.Epoch})"),
        JobAdded added when Find(added.JobId) is null && added.Order > LastOrder => this with
        {
            LastOrder = added.Order,
            Jobs = Jobs.Add(added.Order, new JobEntry(added.JobId, added.Name, added.Order, null)),
            Orders = Orders.Add(added.JobId, added.Order),
        },
        JobAdded added => throw Impossible(
            record,
            Find(added.JobId) is null
                ? $"its order must be larger than {LastOrder} (was {added.Order})"
                : $"there is a job {added.JobId}"),
        JobEnded ended when Find(ended.JobId) is { Ended: null } entry =>
            this with { Jobs = Jobs.SetItem(entry.Order, entry with { Ended = ended.Summary }) },
        JobEnded ended => throw Impossible(record, $"no job {ended.JobId} is running"),
        JobDeleted deleted when Find(deleted.JobId) is { } entry =>
            this with { Jobs = Jobs.Remove(entry.Order), Orders = Orders.Remove(deleted.JobId) },
        JobDeleted deleted => throw Impossible(record, $"there is no job {deleted.JobId}"),
        _ => throw Impossible(record, "no such event is known"),
    };

    private static JournalException Impossible(CoordinatorRecord record, string why) =>
        new($"the event {record?.GetType().Name} cannot have happened here: {why}");
}
