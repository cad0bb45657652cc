using Akka.Actor;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>Waits for the steps of a job, by the scheduler's clock.</summary>
/// <param name="time">The clock.</param>
internal sealed class StepWatch(ITimeProvider time)
{
    private readonly StepDeadline _deadline = new();
    private TimeSpan _lastSteps = time.MonotonicClock;
    private TimeSpan _lastBeat = time.MonotonicClock;

    /// <summary>How long nothing has come, in seconds.</summary>
    public double SilentSeconds => _deadline.Silence.TotalSeconds;

    /// <summary>Something came that was waited for, or is waited for from now on.</summary>
    public void OnSign()
    {
        _lastSteps = time.MonotonicClock;
        _deadline.OnSign();
    }

    /// <summary>Steps have been judged.</summary>
    public void OnSteps(int steps)
    {
        var now = time.MonotonicClock;
        _deadline.OnSteps(steps, now - _lastSteps);
        _lastSteps = now;
    }

    /// <summary>A beat. Returns whether what is waited for is overdue.</summary>
    /// <param name="isWaiting">Whether anything is waited for.</param>
    /// <param name="asLongAs">As how many steps it may take.</param>
    public bool OnBeat(bool isWaiting, long asLongAs)
    {
        var passed = time.MonotonicClock - _lastBeat;
        _lastBeat += passed;
        if (!isWaiting)
        {
            OnSign();
            return false;
        }

        return _deadline.OnBeat(passed, asLongAs);
    }
}
