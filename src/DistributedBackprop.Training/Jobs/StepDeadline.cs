namespace DistributedBackprop.Training.Jobs;

/// <summary>
/// When a step that is waited for is overdue: after ten times the median of the latest steps, but never before two seconds.
/// Silence is counted in beats of the one who waits: whoever was stopped himself has heard nothing, and accuses nobody.
/// Pure.
/// </summary>
public sealed class StepDeadline
{
    /// <summary>How often whoever waits counts.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    /// <summary>The shortest deadline.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(2);

    /// <summary>The deadline before the first step: programs are compiled, files are read.</summary>
    public static readonly TimeSpan OfFirst = TimeSpan.FromSeconds(60);

    private const int Latest = 31;
    private const int Medians = 10;

    private readonly TimeSpan[] _steps = new TimeSpan[Latest];
    private long _count;
    private TimeSpan _silence;

    /// <summary>How long nothing has come.</summary>
    public TimeSpan Silence => _silence;

    /// <summary>How long a step may take.</summary>
    public TimeSpan Limit => _count == 0 ? OfFirst : Longer(Least, Medians * Median());

    /// <summary>Something came that was waited for.</summary>
    public void OnSign() => _silence = TimeSpan.Zero;

    /// <summary>Steps are done.</summary>
    /// <param name="steps">How many, ≥ 1.</param>
    /// <param name="passed">How long they took together.</param>
    public void OnSteps(int steps, TimeSpan passed)
    {
        OnSign();
        _steps[_count % Latest] = passed / Math.Max(1, steps);
        _count++;
    }

    /// <summary>A beat has passed without a sign. Returns whether what is waited for is overdue.</summary>
    /// <param name="passed">Since the beat before.</param>
    /// <param name="asLongAs">As how many steps what is waited for may take, ≥ 1.</param>
    public bool OnBeat(TimeSpan passed, long asLongAs = 1)
    {
        _silence += passed < 2 * Beat ? passed : 2 * Beat;
        return _silence > Longer(Limit, Limit * Math.Max(1, asLongAs));
    }

    private TimeSpan Median()
    {
        var known = _steps.AsSpan(0, (int)Math.Min(_count, Latest)).ToArray();
        Array.Sort(known);
        return known[known.Length / 2];
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
