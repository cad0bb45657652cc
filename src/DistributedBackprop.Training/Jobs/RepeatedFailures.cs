namespace DistributedBackprop.Training.Jobs;

/// <summary>
/// Whether a failure of layers comes again and again: a job is begun anew from its checkpoint after one, but not for ever.
/// Nodes that are lost do not count. Pure.
/// </summary>
public sealed class RepeatedFailures
{
    /// <summary>How often the same layer may fail at one step for the same cause.</summary>
    public const int MostAlike = 3;

    /// <summary>How often layers may fail, for whatever cause, without a step that was not there before.</summary>
    public const int MostWithoutProgress = 10;

    private readonly Dictionary<(string Layer, long Step, string Cause), int> _alike = [];
    private long _step;
    private int _withoutProgress;

    /// <summary>A layer has failed.</summary>
    /// <param name="layer">Its name.</param>
    /// <param name="step">At which step.</param>
    /// <param name="reason">Why: the kind of the exception, a colon, and what may differ each time.</param>
    /// <param name="highestStep">The highest step that the job has reached so far.</param>
    /// <returns>Whether the job is to end with it.</returns>
    public bool IsLast(string layer, long step, string reason, long highestStep)
    {
        ArgumentNullException.ThrowIfNull(reason);
        if (highestStep > _step)
        {
            (_step, _withoutProgress) = (highestStep, 0);
        }

        var key = (layer, step, reason.Split(':')[0]);
        _alike[key] = _alike.GetValueOrDefault(key) + 1;
        _withoutProgress++;
        return _alike[key] >= MostAlike || _withoutProgress >= MostWithoutProgress;
    }
}
