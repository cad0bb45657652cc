namespace DistributedBackprop.Training.Checkpoints;

/// <summary>
/// When a job that trains is asked for its state. The layers hand it out after a step that none of them has passed: they are
/// asked some steps ahead, and no step beyond it is granted before all of them know. One checkpoint is in flight at a time;
/// one that falls due meanwhile is skipped. Pure.
/// </summary>
/// <param name="every">Steps from one to the next, ≥ 1.</param>
/// <param name="totalSteps">The job's last step, which needs none.</param>
public sealed class CheckpointSchedule(long every, long totalSteps)
{
    /// <summary>
    /// How many steps ahead of what is granted the layers are asked: twice what is granted at once at most, so that all have
    /// heard of it before anything would wait.
    /// </summary>
    public const long StepsAhead = 128;

    private readonly long _every = every >= 1
        ? every
        : throw new ArgumentOutOfRangeException(nameof(every), every, "Steps from one checkpoint to the next are at least 1.");

    private long _last;
    private bool _isKnown;
    private bool _isDone;

    /// <summary>The step whose state is being taken in or saved, or of which not all layers know yet; null where there is none.</summary>
    public long? InFlight { get; private set; }

    /// <summary>The last step that may be granted.</summary>
    public long GrantLimit => InFlight is { } step && !_isKnown ? step : long.MaxValue;

    /// <summary>Begins after a step: what was in flight is void.</summary>
    public void Restart(long afterStep) => (_last, InFlight, _isKnown, _isDone) = (afterStep, null, false, false);

    /// <summary>Whether the layers are to be asked now.</summary>
    /// <param name="granted">The last step that was granted.</param>
    /// <param name="step">After which step.</param>
    public bool TryAsk(long granted, out long step)
    {
        // A layer may have trained all that is granted, but nothing beyond: the last step granted is not passed yet.
        step = Math.Max(1, ((granted - 1) / _every) + 1) * _every;
        if (step <= _last)
        {
            step += _every;
        }

        if (InFlight is not null || step - granted > StepsAhead || step >= totalSteps)
        {
            return false;
        }

        (InFlight, _isKnown, _isDone) = (step, false, false);
        return true;
    }

    /// <summary>All layers know that they are asked for their state after a step.</summary>
    public void OnKnown(long step)
    {
        if (InFlight == step)
        {
            _isKnown = true;
            EndIfOver(step);
        }
    }

    /// <summary>It is saved, or given up. A layer that has nothing of the state may not have heard of it even so.</summary>
    public void OnDone(long step)
    {
        if (InFlight == step)
        {
            _isDone = true;
            EndIfOver(step);
        }
    }

    private void EndIfOver(long step)
    {
        if (_isKnown && _isDone)
        {
            Restart(step);
        }
    }
}
