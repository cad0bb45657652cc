using Akka.Actor;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>Measures how long a job trains, evaluations excluded, by the scheduler's clock.</summary>
/// <param name="time">The clock: virtual in simulation.</param>
/// <param name="afterStep">The last step trained before.</param>
internal sealed class TrainingClock(ITimeProvider time, long afterStep)
{
    private readonly TimeSpan _created = time.HighResMonotonicClock;
    private TimeSpan _trained;
    private TimeSpan? _since;
    private TimeSpan _lastStep;

    /// <summary>From the making of the clock until now.</summary>
    public double WallSeconds => (time.HighResMonotonicClock - _created).TotalSeconds;

    /// <summary>Training goes on; nothing happens where it has not stopped.</summary>
    public void StartTraining()
    {
        if (_since is null)
        {
            _since = time.HighResMonotonicClock;
            _lastStep = _since.Value;
        }
    }

    /// <summary>Training stops, for an evaluation or for good.</summary>
    public void StopTraining()
    {
        if (_since is { } since)
        {
            _trained += time.HighResMonotonicClock - since;
            _since = null;
        }
    }

    /// <summary>Examples per second of training so far; 0 where no time has passed.</summary>
    public double SamplesPerSecond(long examples) => Trained is var trained && trained > TimeSpan.Zero ? examples / trained.TotalSeconds : 0;

    /// <summary>The mean time of a step so far; a second before the first.</summary>
    /// <param name="step">How far the job has come.</param>
    public TimeSpan MeanStep(long step) => step > afterStep && Trained is var trained && trained > TimeSpan.Zero
        ? trained / (step - afterStep)
        : TimeSpan.FromSeconds(1);

    private TimeSpan Trained => _trained + (_since is { } since ? time.HighResMonotonicClock - since : TimeSpan.Zero);

    /// <summary>Examples per second since the step before; 0 where no time has passed.</summary>
    public double RateOf(int examples)
    {
        var now = time.HighResMonotonicClock;
        var passed = now - _lastStep;
        _lastStep = now;
        return passed > TimeSpan.Zero ? examples / passed.TotalSeconds : 0;
    }
}
