using System.Collections.Concurrent;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// The links of a plane, as those who measure see them: what each counts itself is added up when somebody asks.
/// Safe for any number of threads.
/// </summary>
internal sealed class OpenLinks
{
    private readonly ConcurrentDictionary<TensorLink, byte> _open = new();
    private readonly long[] _closed = new long[Flows.Count];
    private readonly Lock _lock = new();

    /// <summary>Frames that have a place at the other end and wait to leave.</summary>
    public int Waiting => _open.Keys.Sum(link => link.Waiting);

    /// <summary>Payload bytes of a flow that have left.</summary>
    public long BytesSent(Flow flow)
    {
        lock (_lock)
        {
            return _closed[(int)flow] + _open.Keys.Sum(link => link.BytesSent(flow));
        }
    }

    public void Add(TensorLink link) => _open.TryAdd(link, 0);

    /// <summary>A link sends nothing more.</summary>
    public void Remove(TensorLink link)
    {
        lock (_lock)
        {
            if (!_open.TryRemove(link, out _))
            {
                return;
            }

            for (var flow = 0; flow < Flows.Count; flow++)
            {
                _closed[flow] += link.BytesSent((Flow)flow);
            }
        }
    }
}
