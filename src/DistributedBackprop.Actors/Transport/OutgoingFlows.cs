using System.Diagnostics.CodeAnalysis;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// The sending end's places and the frames that have one but have not left yet: pure, so that a simulated link and a
/// socket decide alike. A flow's queue is never longer than the places it was granted, and the flows take turns.
/// Not safe for threads.
/// </summary>
public sealed class OutgoingFlows : IDisposable
{
    private readonly int _maxPlaces;
    private readonly int[] _places = new int[Flows.Count];
    private readonly Queue<OutgoingFrame>[] _queues =
        [.. Enumerable.Range(0, Flows.Count).Select(_ => new Queue<OutgoingFrame>())];
    private int _next;

    /// <summary>Makes flows without any place.</summary>
    /// <param name="maxPlaces">Places that a flow can have at most, ≥ 1: no receiver makes the queue longer.</param>
    public OutgoingFlows(int maxPlaces)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPlaces, 1);
        _maxPlaces = maxPlaces;
    }

    /// <summary>Frames of all flows that wait to leave.</summary>
    public int Waiting => _queues.Sum(queue => queue.Count);

    /// <summary>Places of a flow that are free.</summary>
    public int PlacesOf(Flow flow) => _places[(int)flow];

    /// <summary>Takes note of a grant.</summary>
    /// <returns>False where the flow would have more places than it can: the receiver is not one of ours.</returns>
    public bool TryGrant(PlaceGrant grant)
    {
        var places = (long)_places[(int)grant.Flow] + grant.Count + _queues[(int)grant.Flow].Count;
        if (grant.Count < 1 || places > _maxPlaces)
        {
            return false;
        }

        _places[(int)grant.Flow] += grant.Count;
        return true;
    }

    /// <summary>Takes a place for a frame. Takes the tensor where there is one.</summary>
    /// <returns>False where there is none: the caller still owns the tensor.</returns>
    public bool TryAdd(in FrameHeader header, Tensor tensor)
    {
        var flow = (int)header.Flow;
        if (_places[flow] == 0)
        {
            return false;
        }

        _places[flow]--;
        _queues[flow].Enqueue(new OutgoingFrame(header, tensor));
        return true;
    }

    /// <summary>The next frame to leave; the flows take turns. The caller owns its tensor.</summary>
    public bool TryTake([NotNullWhen(true)] out OutgoingFrame? frame)
    {
        for (var turn = 0; turn < Flows.Count; turn++)
        {
            var queue = _queues[_next];
            _next = (_next + 1) % Flows.Count;
            if (queue.TryDequeue(out frame))
            {
                return true;
            }
        }

        frame = null;
        return false;
    }

    /// <summary>Gives up the tensors that have not left, and all places.</summary>
    public void Dispose()
    {
        while (TryTake(out var frame))
        {
            frame.Tensor.Dispose();
        }

        Array.Clear(_places);
    }
}

/// <summary>A frame that has its place. Whoever holds it owns the tensor.</summary>
/// <param name="Header">Its name.</param>
/// <param name="Tensor">Its payload.</param>
public sealed record OutgoingFrame(FrameHeader Header, Tensor Tensor);
