using Akka.Persistence;

namespace DistributedBackprop.Actors.Journal;

/// <summary>
/// When a journal is summed up, so that reading it again takes bounded time: after so many events. One that fails is followed
/// by the next.
/// </summary>
/// <param name="every">Events from one summary to the next, ≥ 1.</param>
internal sealed class JournalSummaries(int every)
{
    /// <summary>Where nothing else is said.</summary>
    public const int Usual = 500;

    private long _last;

    /// <summary>The journal was read from a summary on.</summary>
    public void OnRead(SnapshotOffer offer) => _last = offer.Metadata.SequenceNr;

    /// <summary>Whether it is to be summed up now.</summary>
    /// <param name="lastSequenceNr">The journal's last event.</param>
    public bool IsDue(long lastSequenceNr)
    {
        if (lastSequenceNr - _last < every)
        {
            return false;
        }

        _last = lastSequenceNr;
        return true;
    }

    /// <summary>Those that a summary replaces.</summary>
    public static SnapshotSelectionCriteria Before(SaveSnapshotSuccess saved) => new(saved.Metadata.SequenceNr - 1);
}
