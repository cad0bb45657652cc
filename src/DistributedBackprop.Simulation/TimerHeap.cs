using System.Diagnostics.CodeAnalysis;

namespace DistributedBackprop.Simulation;

/// <summary>The timers that wait, by (due, sequence): those due at the same time fire in the order they were set.</summary>
internal sealed class TimerHeap
{
    private readonly PriorityQueue<SimulatedTimer, (TimeSpan Due, long Sequence)> _waiting = new();
    private long _sequence;

    /// <summary>The live timers, soonest first.</summary>
    public IEnumerable<(SimulatedTimer Timer, TimeSpan Due)> Waiting => _waiting.UnorderedItems
        .Where(item => item.Element.IsLive)
        .OrderBy(item => item.Priority)
        .Select(item => (item.Element, item.Priority.Due));

    /// <summary>Sets a timer.</summary>
    /// <param name="timer">The timer.</param>
    /// <param name="due">The virtual time since the start at which it fires.</param>
    public void Add(SimulatedTimer timer, TimeSpan due) => _waiting.Enqueue(timer, (due, _sequence++));

    /// <summary>The soonest live timer, which stays in the heap. A cancelled timer never moves the clock: it is dropped here.</summary>
    public bool TryPeek([NotNullWhen(true)] out SimulatedTimer? timer, out TimeSpan due)
    {
        while (_waiting.TryPeek(out timer, out (TimeSpan Due, long Sequence) priority))
        {
            due = priority.Due;
            if (timer.IsLive)
            {
                return true;
            }

            _waiting.Dequeue();
        }

        due = default;
        return false;
    }

    /// <summary>Removes the timer that <see cref="TryPeek"/> showed.</summary>
    public void Remove() => _waiting.Dequeue();
}
