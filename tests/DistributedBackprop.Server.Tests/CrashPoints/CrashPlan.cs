using System.Collections.Concurrent;

namespace DistributedBackprop.Server.Tests.CrashPoints;

/// <summary>
/// When a process dies, as far as what it leaves behind can tell: before or after one of its writes. From then on nothing
/// that it writes is written, and nobody is answered.
/// </summary>
/// <param name="points">How many points it lives through.</param>
internal sealed class CrashPlan(int points)
{
    private static readonly ConcurrentDictionary<string, CrashPlan> _plans = new();

    private readonly TaskCompletionSource _crashed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = points;

    /// <summary>Completes when it has died.</summary>
    public Task Crashed => _crashed.Task;

    /// <summary>The plan of an actor system.</summary>
    public static CrashPlan Of(string system) => _plans[system];

    /// <summary>Makes this the plan of an actor system.</summary>
    public void Rule(string system) => _plans[system] = this;

    /// <summary>A point is reached. Returns whether the process lives on.</summary>
    public bool Passes()
    {
        if (Interlocked.Decrement(ref _left) < 0)
        {
            _crashed.TrySetResult();
            return false;
        }

        return true;
    }
}
