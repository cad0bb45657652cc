using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>
/// Measures one stage of one replica: how long its layers compute, and how much of a step passes without that (the
/// bubble). All layers of a stage share one thread, and one meter; it is read when they are gone.
/// </summary>
/// <param name="time">The clock: virtual in simulation.</param>
public sealed class StageMeter(ITimeProvider time)
{
    private readonly Dictionary<int, int> _peaks = [];
    private TimeSpan _since;
    private TimeSpan _stepSince;
    private TimeSpan _stepBusy;
    private long _step;
    private double _idleShares;

    /// <summary>Time spent in the kernels of training steps.</summary>
    public TimeSpan Busy { get; private set; }

    /// <summary>Steps whose bubble was measured: those followed by another one without an evaluation between them.</summary>
    public long Steps { get; private set; }

    /// <summary>The mean share of a step, from its first pass to the next step's, in which the stage was idle; 0 without steps.</summary>
    public double Bubble => Steps == 0 ? 0 : _idleShares / Steps;

    /// <summary>The same share of the last step that was measured; 0 without steps.</summary>
    public double LastBubble { get; private set; }

    /// <summary>A layer begins a pass of a step.</summary>
    public void Begin(long step)
    {
        _since = time.HighResMonotonicClock;
        if (step > _step)
        {
            if (_step > 0 && _since > _stepSince)
            {
                Steps++;
                LastBubble = 1 - (_stepBusy / (_since - _stepSince));
                _idleShares += LastBubble;
            }

            (_step, _stepSince, _stepBusy) = (step, _since, TimeSpan.Zero);
        }
    }

    /// <summary>It is done with it.</summary>
    public void End()
    {
        var passed = time.HighResMonotonicClock - _since;
        Busy += passed;
        _stepBusy += passed;
    }

    /// <summary>An evaluation comes between two steps: the step before it has no measured end.</summary>
    public void Interrupt() => _step = 0;

    /// <summary>What has been measured.</summary>
    public StageStatistics Read(int replica, int stage) =>
        new(replica, stage, Busy.TotalSeconds, Bubble, Steps, LastBubble, _peaks.ToImmutableDictionary());

    /// <summary>A layer holds so many micro-batches.</summary>
    public void Holds(int layer, int microBatches) =>
        _peaks[layer] = Math.Max(_peaks.GetValueOrDefault(layer), microBatches);
}
