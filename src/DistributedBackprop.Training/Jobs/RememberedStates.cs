namespace DistributedBackprop.Training.Jobs;

/// <summary>
/// The states of a job's course at the steps where a checkpoint may fall. By the time that the layers' state of a step has
/// been taken in, later steps are judged.
/// </summary>
/// <param name="every">Steps from one to the next, ≥ 1; null for none.</param>
public sealed class RememberedStates(long? every)
{
    /// <summary>How many are kept: as many checkpoints may be due while one is being written.</summary>
    public const int Most = 256;

    private readonly long? _every = every is null or >= 1
        ? every
        : throw new ArgumentOutOfRangeException(nameof(every), every, "Steps from one checkpoint to the next are at least 1.");

    private readonly SortedDictionary<long, ProgressState> _states = [];

    /// <summary>The state exactly after a step; null where it is not kept.</summary>
    public ProgressState? At(long step) => _states.GetValueOrDefault(step);

    /// <summary>A step is complete.</summary>
    /// <param name="progress">The job, right after that step.</param>
    public void OnStep(JobProgress progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        if (_every is not { } every || progress.Step % every != 0)
        {
            return;
        }

        _states[progress.Step] = progress.State;
        if (_states.Count > Most)
        {
            _states.Remove(_states.Keys.First());
        }
    }

    /// <summary>Those up to a step are not asked for any more.</summary>
    public void Forget(long upToStep)
    {
        foreach (var step in _states.Keys.TakeWhile(step => step <= upToStep).ToArray())
        {
            _states.Remove(step);
        }
    }
}
