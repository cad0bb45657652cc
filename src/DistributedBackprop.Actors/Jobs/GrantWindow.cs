using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>How far replicas may train on: a few steps ahead, never past what is decided, never far ahead of the watcher.</summary>
/// <param name="progress">How far the job has come.</param>
/// <param name="stepsAhead">How far it may run ahead of whoever watches it.</param>
/// <param name="clock">Says how long a step takes.</param>
internal sealed class GrantWindow(JobProgress progress, long stepsAhead, TrainingClock clock)
{
    // Enough that no replica ever waits for the job, and few enough that a cancelled one stops at once.
    private const int LeastSteps = 8;
    private const int MostSteps = 64;

    private static readonly TimeSpan _window = TimeSpan.FromMilliseconds(100);

    private long _watched;

    /// <summary>The last step granted.</summary>
    public long Granted { get; private set; }

    /// <summary>Whether all that was granted is trained.</summary>
    public bool IsDrained => progress.Step >= Granted;

    /// <summary>Whoever watches has come so far.</summary>
    public void OnWatched(long step) => _watched = Math.Max(_watched, step);

    /// <summary>A new generation begins where the job stands: what was granted to the one before is void.</summary>
    public void Restart() => Granted = progress.Step;

    /// <summary>Grants what may be granted now. Returns whether that is more than before.</summary>
    public bool TryGrant()
    {
        var steps = Math.Clamp((long)(_window / clock.MeanStep(progress.Step)), LeastSteps, MostSteps);
        var limit = Math.Min(progress.GrantLimit, Math.Min(progress.Step + steps, _watched + stepsAhead));

        // In halves of the window: a message to each replica for every step would only tell it what it knows.
        if (limit <= Granted || (limit - progress.Step >= steps && Granted - progress.Step > steps / 2))
        {
            return false;
        }

        Granted = limit;
        return true;
    }
}
