using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs.Table;

/// <summary>An event of a job with its number.</summary>
/// <param name="Number">One more for each event that the log has taken.</param>
/// <param name="Event">What happened.</param>
/// <param name="Skipped">Events right before this one that a reader asked for and that are not kept any more, ≥ 0.</param>
public sealed record NumberedEvent(long Number, TrainingEvent Event, long Skipped = 0);

/// <summary>What a log gives a reader.</summary>
/// <param name="Events">In the order of their numbers.</param>
/// <param name="Next">After which event the reader goes on.</param>
/// <param name="IsEnd">Whether no more will come.</param>
public sealed record EventBatch(ImmutableArray<NumberedEvent> Events, long Next, bool IsEnd);

/// <summary>
/// What happened to a job, numbered, in bounded memory: of steps only the newest are kept, of all else so many that
/// they are practically all. Readers say how far they have come; nothing is kept for them.
/// </summary>
/// <param name="stepsKept">Steps, ≥ 1.</param>
/// <param name="othersKept">Other events, ≥ 1.</param>
/// <param name="start">
/// Numbers begin after this one, ≥ 0: a log that follows another one of the same job has greater numbers than that, and what
/// is still known of the one before (<see cref="Recall"/>) comes first.
/// </param>
public sealed class EventLog(int stepsKept = 4096, int othersKept = 10_000, long start = 0)
{
    // Steps follow one another without gaps, so that the one so many steps before another is so many places before it.
    private readonly List<(long Number, StepDone Step, double Seconds)> _steps = [];
    private readonly List<(long Number, TrainingEvent Event)> _others = [];
    private readonly long _start = start;
    private double _seconds;

    /// <summary>The number of the newest event; before the first the one that numbers begin after.</summary>
    public long Last { get; private set; } = start;

    /// <summary>The newest step; null before the first.</summary>
    public StepDone? LastStep { get; private set; }

    /// <summary>Whether the last event of the job has happened.</summary>
    public bool IsEnd { get; private set; }

    /// <summary>Something happened.</summary>
    public void Append(TrainingEvent happened)
    {
        Last++;
        if (happened is StepDone step)
        {
            // The reciprocals of rates add up: what is told of several steps is the rate over all of them.
            _seconds += step.SamplesPerSecond > 0 ? 1 / step.SamplesPerSecond : 0;
            _steps.Add((Last, step, _seconds));
            LastStep = step;
            Trim(_steps, stepsKept);
            return;
        }

        _others.Add((Last, happened));
        Trim(_others, othersKept);
        IsEnd |= happened is TrainingCompleted or TrainingFailed or TrainingCancelled;
    }

    /// <summary>
    /// Takes in what is known of an earlier log, before the first event of this one. Numbers that are not known, 0, or do not
    /// ascend become those that follow the one before; what is beyond the beginning of this log is its own, and left out.
    /// </summary>
    /// <param name="events">In the order in which they happened.</param>
    public void Recall(IEnumerable<(long Number, TrainingEvent Event)> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        var earlier = new List<(long Number, TrainingEvent Event)>();
        foreach (var (number, happened) in events)
        {
            var last = earlier.Count > 0 ? earlier[^1].Number : 0;
            earlier.Add((Math.Max(number, last + 1), happened));
        }

        _others.InsertRange(0, earlier.TakeWhile(entry => entry.Number <= _start));
    }

    /// <summary>The events after some number.</summary>
    /// <param name="after">Only events with greater numbers.</param>
    /// <param name="most">At most so many, ≥ 1.</param>
    /// <param name="progressEvery">Of steps only multiples of this, ≥ 1, each with the rate since the one told before.</param>
    public EventBatch Read(long after, int most, int progressEvery)
    {
        var events = ImmutableArray.CreateBuilder<NumberedEvent>();
        var next = after;
        var skipped = 0L;
        var step = FirstAfter(_steps, entry => entry.Number, after);
        var other = FirstAfter(_others, entry => entry.Number, after);
        while (events.Count < most && (step < _steps.Count || other < _others.Count))
        {
            var isStep = other == _others.Count || (step < _steps.Count && _steps[step].Number < _others[other].Number);
            var number = isStep ? _steps[step].Number : _others[other].Number;

            // How many events an earlier log had, nobody knows.
            skipped += number > _start ? number - Math.Max(next, _start) - 1 : 0;
            next = number;
            if (isStep && _steps[step].Step.Step % progressEvery != 0)
            {
                step++;
                continue;
            }

            events.Add(new NumberedEvent(number, isStep ? Told(step++, progressEvery) : _others[other++].Event, skipped));
            skipped = 0;
        }

        next = step == _steps.Count && other == _others.Count ? Math.Max(next, _start) : next;
        return new EventBatch(events.ToImmutable(), next, IsEnd && next >= Last);
    }

    private StepDone Told(int index, int progressEvery)
    {
        var (_, step, seconds) = _steps[index];
        var from = index - progressEvery;
        var (count, before) = from >= 0 ? (progressEvery, _steps[from].Seconds) : (index + 1, _steps[0].Seconds - FirstSeconds);
        return seconds > before ? step with { SamplesPerSecond = count / (seconds - before) } : step;
    }

    private double FirstSeconds => _steps[0].Step.SamplesPerSecond > 0 ? 1 / _steps[0].Step.SamplesPerSecond : 0;

    private static int FirstAfter<T>(List<T> entries, Func<T, long> number, long after)
    {
        var (low, high) = (0, entries.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = number(entries[middle]) > after ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    // In portions: taking the first of a list away moves all others.
    private static void Trim<T>(List<T> entries, int kept)
    {
        if (entries.Count >= 2 * kept)
        {
            entries.RemoveRange(0, entries.Count - kept);
        }
    }
}
