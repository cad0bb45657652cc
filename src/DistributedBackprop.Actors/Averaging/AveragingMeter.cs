using Akka.Actor;

namespace DistributedBackprop.Actors.Averaging;

/// <summary>
/// Counts what averaging costs the actors of one generation on one node, and how much of it is hidden behind computing.
/// Safe for any number of threads.
/// </summary>
/// <param name="time">The clock: virtual in simulation.</param>
public sealed class AveragingMeter(ITimeProvider time)
{
    private readonly Lock _lock = new();

    // By replica, its layers that average now.
    private readonly Dictionary<int, List<int>> _averaging = [];
    private long _lastRound;
    private int _underWay;
    private long _bytes;
    private long _overlaps;
    private long _rounds;
    private TimeSpan _since;
    private TimeSpan _averaged;

    /// <summary>Bytes of tensors that layers sent to their peers on other nodes.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Averagings: steps, or rounds of parameter averaging.</summary>
    public long Rounds => Interlocked.Read(ref _rounds);

    /// <summary>Backward passes of a layer while a later layer of the same replica still averaged.</summary>
    public long Overlaps => Interlocked.Read(ref _overlaps);

    /// <summary>Time in which some layer averaged, updated and waited for its peers.</summary>
    public TimeSpan Time
    {
        get
        {
            lock (_lock)
            {
                return _averaged;
            }
        }
    }

    /// <summary>A layer begins to average after a step.</summary>
    public void Begin(int replica, int layer, long step)
    {
        lock (_lock)
        {
            if (!_averaging.TryGetValue(replica, out var layers))
            {
                _averaging.Add(replica, layers = []);
            }

            layers.Add(layer);
            if (_underWay++ == 0)
            {
                _since = time.HighResMonotonicClock;
            }

            if (step > _lastRound)
            {
                _lastRound = step;
                Interlocked.Increment(ref _rounds);
            }
        }
    }

    /// <summary>A layer is done with it.</summary>
    public void End(int replica, int layer)
    {
        lock (_lock)
        {
            _averaging[replica].Remove(layer);
            if (--_underWay == 0)
            {
                _averaged += time.HighResMonotonicClock - _since;
            }
        }
    }

    /// <summary>A layer sent something to a peer on another node.</summary>
    public void Sent(long bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>A layer goes backward: those after it in the graph may average meanwhile.</summary>
    public void Backward(int replica, int layer)
    {
        if (Volatile.Read(ref _underWay) == 0)
        {
            return;
        }

        lock (_lock)
        {
            if (_averaging.TryGetValue(replica, out var layers) && layers.Exists(other => other > layer))
            {
                _overlaps++;
            }
        }
    }
}
