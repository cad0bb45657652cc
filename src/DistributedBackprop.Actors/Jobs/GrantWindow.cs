using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>How far replicas may train on: a few steps ahead, never past what is decided, never far ahead of the watcher.</summary>
/// <param name="progress">How far the job has come.</param>
/// <param name="stepsAhead">How far it may run ahead of whoever watches it.</param>
/// <param name="clock">Says how long a step takes.</param>
/// <param name="watched">How far whoever watches has come: what was told before is not told again, so it counts.</param>
internal sealed class GrantWindow(JobProgress progress, long stepsAhead, TrainingClock clock, long watched)
{
    // Enough that no replica ever waits for the job, and few enough that a cancelled one stops at once.
    private const int LeastSteps = 8;
    private const int MostSteps = 64;

    private static readonly TimeSpan _window = TimeSpan.FromMilliseconds(100);

    /// <summary>The last step granted; what was granted to an earlier generation is void.</summary>
    public long Granted { get; private set; } = progress.Step;

    /// <summary>How far whoever watches has come.</summary>
    public long Watched { get; private set; } = watched;

    /// <summary>Whether all that was granted is trained.</summary>
    public bool IsDrained => progress.Step >= Granted;

    /// <summary>Whoever watches has come so far.</summary>
    public void OnWatched(long step) => Watched = Math.Max(Watched, step);

    /// <summary>Grants what may be granted now. Returns whether that is more than before.</summary>
    /// <param name="most">No later step than this, whatever else allows it.</param>
    public bool TryGrant(long most)
    {
        var steps = Math.Clamp((long)(_window / clock.MeanStep(progress.Step)), LeastSteps, MostSteps);
        var allowed = Math.Min(progress.GrantLimit, most);
        var limit = Math.Min(allowed, Math.Min(progress.Step + steps, Watched + stepsAhead));

        // In halves of the window: a message to each replica for every step would only tell it what it knows.
        if (limit <= Granted || (limit - progress.Step >= steps && Granted - progress.Step > steps / 2))
        {
            return false;
        }

        Granted = limit;
        return true;
    }
}
