namespace DistributedBackprop.Actors.Wire;

/// <summary>Bytes of control messages that this process has written and read so far. Safe for any number of threads.</summary>
public static class WireTraffic
{
    private static long _written;
    private static long _read;

    /// <summary>Bytes written for other nodes.</summary>
    public static long BytesWritten => Interlocked.Read(ref _written);

    /// <summary>Bytes that came from other nodes and were read.</summary>
    public static long BytesRead => Interlocked.Read(ref _read);

    internal static void Wrote(int bytes) => Interlocked.Add(ref _written, bytes);

    internal static void Read(int bytes) => Interlocked.Add(ref _read, bytes);
}
