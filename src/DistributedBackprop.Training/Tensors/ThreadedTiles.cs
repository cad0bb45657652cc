using System.Runtime.ExceptionServices;

namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// Runs tiles on several threads: the caller's and its own, which wait for work by spinning for some tens of
/// microseconds (the next kernel of a step follows at once) and then sleep. Tiles go to whoever is free; which thread
/// ran which tile shows nowhere in the bits. Safe for any number of callers: one at a time gets the threads, the others
/// run their tiles alone.
/// </summary>
public sealed class ThreadedTiles : ITiles, IDisposable
{
    // About 40 ns each: long enough to catch the next kernel, short enough to leave the core to others.
    private const int SpinsBeforeSleep = 1000;

    // The state is one number, so that entering and closing cannot miss each other: how many workers are inside, one
    // bit that says that they may enter, and above it the number of the run.
    private const long Open = 1L << 16;
    private const long InsideMask = Open - 1;
    private const int RunShift = 17;

    private readonly Thread[] _threads;
    private readonly object _workersGate = new();
    private readonly object _callerGate = new();
    private long _state;
    private int _sleepingWorkers;
    private int _callerSleeps;
    private int _busy;
    private int _next;
    private int _count;
    private bool _stopped;
    private TileWork? _work;
    private Exception? _failure;

    /// <summary>Starts the threads.</summary>
    /// <param name="width">How many threads work at once, the caller's included: 1 … 1024.</param>
    /// <exception cref="ArgumentOutOfRangeException">The width is out of range.</exception>
    public ThreadedTiles(int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, 1024);
        Width = width;
        _threads = new Thread[width - 1];
        for (var i = 0; i < _threads.Length; i++)
        {
            _threads[i] = new Thread(Work) { IsBackground = true, Name = $"tiles {i + 1} of {width - 1}" };
            _threads[i].Start();
        }
    }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The threads were stopped.</exception>
    public void Run(TileWork work, int count)
    {
        ArgumentNullException.ThrowIfNull(work);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _stopped), this);
        if (count <= 1 || Width == 1 || Interlocked.Exchange(ref _busy, 1) != 0)
        {
            SequentialTiles.Instance.Run(work, count);
            return;
        }

        try
        {
            Share(work, count);
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    /// <summary>Stops the threads and waits until they are gone. No run may be under way.</summary>
    public void Dispose()
    {
        lock (_workersGate)
        {
            Volatile.Write(ref _stopped, true);
            Monitor.PulseAll(_workersGate);
        }

        foreach (var thread in _threads)
        {
            thread.Join();
        }
    }

    private void Share(TileWork work, int count)
    {
        _work = work;
        _count = count;
        _failure = null;
        Volatile.Write(ref _next, 0);
        Interlocked.Exchange(ref _state, (((_state >> RunShift) + 1) << RunShift) | Open);
        WakeWorkers(count - 1);
        RunTiles();
        Interlocked.And(ref _state, ~Open);
        AwaitWorkers();
        _work = null;
        if (_failure is { } failure)
        {
            _failure = null;
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private void WakeWorkers(int wanted)
    {
        // A worker counts itself as sleeping before it looks at the state for the last time, and the state was
        // exchanged before this read: one of the two sees the other.
        if (Volatile.Read(ref _sleepingWorkers) == 0)
        {
            return;
        }

        lock (_workersGate)
        {
            for (var i = Math.Min(wanted, _sleepingWorkers); i > 0; i--)
            {
                Monitor.Pulse(_workersGate);
            }
        }
    }

    private void RunTiles()
    {
        var work = _work!;
        var count = _count;
        try
        {
            for (int tile; (tile = Interlocked.Increment(ref _next) - 1) < count;)
            {
                work.RunTile(tile);
            }
        }
#pragma warning disable CA1031 // Whatever a tile threw is thrown again on the caller's thread.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref _failure, exception, null);
        }
    }

    private void AwaitWorkers()
    {
        for (var spin = 0; spin < SpinsBeforeSleep; spin++)
        {
            if ((Volatile.Read(ref _state) & InsideMask) == 0)
            {
                return;
            }

            Thread.SpinWait(1);
        }

        lock (_callerGate)
        {
            Interlocked.Exchange(ref _callerSleeps, 1);
            while ((Volatile.Read(ref _state) & InsideMask) != 0)
            {
                Monitor.Wait(_callerGate);
            }

            Volatile.Write(ref _callerSleeps, 0);
        }
    }

    private void Work()
    {
        var seen = 0L;
        while (AwaitRun(ref seen))
        {
            RunTiles();
            var left = Interlocked.Decrement(ref _state);
            if ((left & InsideMask) == 0 && Volatile.Read(ref _callerSleeps) != 0)
            {
                lock (_callerGate)
                {
                    Monitor.Pulse(_callerGate);
                }
            }
        }
    }

    // Returns inside a run that was not seen before, or false when the threads are to stop.
    private bool AwaitRun(ref long seen)
    {
        for (var spin = 0; spin < SpinsBeforeSleep; spin++)
        {
            if (TryEnter(ref seen))
            {
                return true;
            }

            Thread.SpinWait(1);
        }

        lock (_workersGate)
        {
            Interlocked.Increment(ref _sleepingWorkers);
            try
            {
                while (!TryEnter(ref seen))
                {
                    if (_stopped)
                    {
                        return false;
                    }

                    Monitor.Wait(_workersGate);
                }

                return true;
            }
            finally
            {
                Interlocked.Decrement(ref _sleepingWorkers);
            }
        }
    }

    private bool TryEnter(ref long seen)
    {
        var state = Volatile.Read(ref _state);
        while ((state & Open) != 0 && state >> RunShift != seen)
        {
            var found = Interlocked.CompareExchange(ref _state, state + 1, state);
            if (found == state)
            {
                seen = state >> RunShift;
                return true;
            }

            state = found;
        }

        return false;
    }
}
