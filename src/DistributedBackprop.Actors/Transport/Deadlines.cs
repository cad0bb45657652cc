using System.Collections.Concurrent;

namespace DistributedBackprop.Actors.Transport;

/// <summary>Something that may take too long.</summary>
internal interface IDeadline
{
    /// <summary>Whether it has.</summary>
    bool IsOverdue(TimeProvider time);

    /// <summary>Ends it.</summary>
    void Expire();
}

/// <summary>
/// One timer that looks at everything that may take too long, instead of one timer (and one allocation) for each frame.
/// So a deadline is met at most <see cref="Period"/> late.
/// </summary>
internal sealed class Deadlines : IDisposable
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<IDeadline, bool> _watched = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;

    public Deadlines(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(_ => Look(), null, Period, Period);
    }

    public void Add(IDeadline watched) => _watched[watched] = true;

    public void Remove(IDeadline watched) => _watched.TryRemove(watched, out _);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        foreach (var (watched, _) in _watched)
        {
            if (watched.IsOverdue(_time))
            {
                watched.Expire();
            }
        }
    }
}
