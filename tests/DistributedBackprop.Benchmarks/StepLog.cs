using System.Diagnostics;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Benchmarks;

/// <summary>What a job has told of its steps and generations, and waits for more.</summary>
internal sealed class StepLog
{
    private readonly Lock _lock = new();
    private readonly List<(Func<bool> Holds, TaskCompletionSource Held)> _waiting = [];
    private long _highest;
    private int _nodes;
    private int _generations;

    /// <summary>The highest step that was told.</summary>
    public long Highest => Interlocked.Read(ref _highest);

    /// <summary>How many generations began.</summary>
    public int Generations => Volatile.Read(ref _generations);

    /// <summary>Hears an event.</summary>
    public void Hear(TrainingEvent happened)
    {
        switch (happened)
        {
            case StepDone done:
                Interlocked.Exchange(ref _highest, Math.Max(_highest, done.Step));
                break;
            case GenerationStarted started:
                Volatile.Write(ref _nodes, started.Placement.Nodes.Length);
                Interlocked.Increment(ref _generations);
                break;
        }

        lock (_lock)
        {
            foreach (var waits in _waiting.Where(waits => waits.Holds()).ToList())
            {
                _waiting.Remove(waits);
                waits.Held.SetResult();
            }
        }
    }

    /// <summary>Waits for a step.</summary>
    public Task UntilAsync(long step, TimeSpan patience) => UntilAsync(() => Highest >= step, patience);

    /// <summary>Waits until the job is on so many nodes.</summary>
    public Task UntilPlacedOnAsync(int nodes, TimeSpan patience) => UntilAsync(() => Volatile.Read(ref _nodes) == nodes, patience);

    /// <summary>The steps that are told in each of some spans of time, one after the other.</summary>
    public async Task<long[]> CountsAsync(TimeSpan span, int spans)
    {
        var counts = new long[spans];
        var (before, clock) = (Highest, Stopwatch.StartNew());
        for (var i = 0; i < spans; i++)
        {
            await Task.Delay(((i + 1) * span) - clock.Elapsed is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero);
            var highest = Highest;
            (counts[i], before) = (highest - before, highest);
        }

        return counts;
    }

    private Task UntilAsync(Func<bool> holds, TimeSpan patience)
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (holds())
            {
                return Task.CompletedTask;
            }

            _waiting.Add((holds, held));
        }

        return held.Task.WaitAsync(patience);
    }
}
