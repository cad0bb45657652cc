using Grpc.Core;

namespace DistributedBackprop.Server.Grpc;

/// <summary>
/// Pings of HTTP/2 on connections that have calls: where the network is cut nobody is told, and whoever waits for a stream
/// would wait for ever.
/// </summary>
public static class Pings
{
    /// <summary>After so long in which nothing came the other end is asked.</summary>
    public static TimeSpan Delay { get; } = TimeSpan.FromSeconds(10);

    /// <summary>So long it may take to answer; then the connection is broken, and its calls UNAVAILABLE.</summary>
    public static TimeSpan Timeout { get; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether a call failed because nobody answers, or not any more. gRPC calls a connection whose pings are not answered
    /// INTERNAL, for HTTP/2 calls it a violation of its protocol; those who called can do no more than make the call again.
    /// </summary>
    /// <param name="failure">As a client of this process has it.</param>
    public static bool IsBroken(RpcException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return failure.StatusCode == StatusCode.Unavailable
            || (failure.StatusCode == StatusCode.Internal && failure.Status.DebugException is HttpRequestException or IOException);
    }

    /// <summary>Has a client's connections ask.</summary>
    /// <param name="handler">The client's.</param>
    public static SocketsHttpHandler WithPings(this SocketsHttpHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        handler.KeepAlivePingDelay = Delay;
        handler.KeepAlivePingTimeout = Timeout;
        handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
        return handler;
    }
}
