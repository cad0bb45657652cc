using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Journal;

/// <summary>What the coordinator knows of the past: its journal, folded.</summary>
/// <param name="limits">What its table holds at most, from now on.</param>
public sealed class CoordinatorHistory(JobTableLimits limits)
{
    private readonly JobTableLimits _limits = limits;

    /// <summary>So many takeovers can be told from one another by the numbers of events: see <see cref="EventsBegin"/>.</summary>
    public const long MaxEpoch = int.MaxValue;

    private const int EventBits = 32;

    /// <summary>The last takeover; 0 before the first.</summary>
    public long Epoch { get; private set; }

    /// <summary>Whose that was; empty before the first.</summary>
    public string Process { get; private set; } = "";

    /// <summary>How often the table has changed, ≥ 0.</summary>
    public long Changes { get; private set; }

    /// <summary>All jobs, as they are after the last change.</summary>
    public JobTable Table { get; private init; } = new(limits);

    /// <summary>All of it, in one piece.</summary>
    public CoordinatorSummary Summary => new(Epoch, Process, Changes, [.. Table.All], Table.LastNumber);

    /// <summary>The same, for somebody who goes on from it alone.</summary>
    public CoordinatorHistory Copy() => Of(Summary, _limits);

    /// <summary>As a summary says it.</summary>
    /// <param name="summary">What is known.</param>
    /// <param name="limits">What the table holds at most, from now on.</param>
    public static CoordinatorHistory Of(CoordinatorSummary summary, JobTableLimits limits)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return new CoordinatorHistory(limits)
        {
            Epoch = summary.Epoch,
            Process = summary.Process,
            Changes = summary.Changes,
            Table = new JobTable(limits, summary.Jobs, summary.LastNumber),
        };
    }

    /// <summary>
    /// After which number the events of a job are numbered, by whoever has an epoch: each has a range of its own, so that
    /// numbers grow over takeovers, although only the events of one are kept.
    /// </summary>
    /// <param name="epoch">From 1.</param>
    public static long EventsBegin(long epoch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(epoch, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(epoch, MaxEpoch);
        return (epoch - 1) << EventBits;
    }

    /// <summary>Whose range of numbers begins there: the reverse of <see cref="EventsBegin"/>.</summary>
    public static long EpochOf(long eventsBegin) => (eventsBegin >> EventBits) + 1;

    /// <summary>Takes the next event in.</summary>
    /// <exception cref="JournalException">That cannot have happened now.</exception>
    public void Apply(CoordinatorRecord record)
    {
        switch (record)
        {
            case CoordinatorTookOver tookOver when tookOver.Epoch == Epoch + 1:
                Epoch = tookOver.Epoch;
                Process = tookOver.Process;
                break;
            case CoordinatorTookOver tookOver:
                throw Impossible(record, $"its number must be {Epoch + 1} (was {tookOver.Epoch})");
            case TableChanged when Epoch == 0:
                throw Impossible(record, "nobody has taken over");
            case TableChanged changed:
                Apply(changed);
                break;
            default:
                throw Impossible(record, "no such event is known");
        }
    }

    private void Apply(TableChanged changed)
    {
        try
        {
            Table.Apply(changed.Change);
            Changes++;
        }
        catch (InvalidOperationException e)
        {
            throw Impossible(changed, e.Message);
        }
    }

    private static JournalException Impossible(CoordinatorRecord record, string why) =>
        new($"the event {record?.GetType().Name} cannot have happened here: {why}");
}
