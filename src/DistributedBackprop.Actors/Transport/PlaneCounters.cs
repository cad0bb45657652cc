namespace DistributedBackprop.Actors.Transport;

/// <summary>What has come in on a node's tensor plane so far. Safe for any number of threads.</summary>
public sealed class PlaneCounters
{
    private readonly long[] _bytes = new long[Flows.Count];
    private long _frames;
    private long _dropped;
    private long _violations;

    /// <summary>Frames that were delivered.</summary>
    public long FramesReceived => Interlocked.Read(ref _frames);

    /// <summary>Late frames that were skipped.</summary>
    public long FramesDropped => Interlocked.Read(ref _dropped);

    /// <summary>Connections that were closed for what they sent after their hello.</summary>
    public long Violations => Interlocked.Read(ref _violations);

    /// <summary>Payload bytes of a flow that were delivered.</summary>
    public long BytesReceived(Flow flow) => Interlocked.Read(ref _bytes[(int)flow]);

    internal void Received(in FrameHeader header)
    {
        Interlocked.Increment(ref _frames);
        Interlocked.Add(ref _bytes[(int)header.Flow], header.PayloadBytes);
    }

    internal void Dropped() => Interlocked.Increment(ref _dropped);

    internal void Violated() => Interlocked.Increment(ref _violations);
}
