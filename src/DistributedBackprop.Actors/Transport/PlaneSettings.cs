using System.Security.Cryptography.X509Certificates;

namespace DistributedBackprop.Actors.Transport;

/// <summary>How a node's tensor plane works.</summary>
/// <param name="Node">This node's name, 1 to 64 bytes of UTF-8.</param>
/// <param name="Secret">What all nodes of a run know.</param>
public sealed record PlaneSettings(string Node, ReadOnlyMemory<byte> Secret)
{
    /// <summary>Places that a flow can have at most, on either end.</summary>
    public const int MaxPlacesPerFlow = 1024;

    /// <summary>TLS for what comes in and what goes out; null: none.</summary>
    public PlaneTls? Tls { get; init; }

    /// <summary>What is accepted.</summary>
    public FrameLimits Limits { get; init; } = FrameLimits.Default;

    /// <summary>
    /// Frames of each flow that one connection may have under way or not yet taken, 1 to
    /// <see cref="MaxPlacesPerFlow"/>. Memory for what comes in is at most connections × 4 flows × places × largest
    /// payload.
    /// </summary>
    public int PlacesPerFlow { get; init; } = 64;

    /// <summary>
    /// Memory that a link to a node of this machine, called by a loopback address and without TLS, shares with it for
    /// payloads: 4 KB to 1 GB, a multiple of 64; 0: none, all goes over the connection.
    /// </summary>
    public int RingBytes { get; init; } = 4 << 20;

    /// <summary>Connections that said hello, at most; ≥ 1.</summary>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>Connections that have yet to say hello, at most; ≥ 1. A further one ends the oldest.</summary>
    public int MaxHandshakes { get; init; } = 256;

    /// <summary>A connection says hello within this time.</summary>
    public TimeSpan HelloDeadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A frame that has begun has come, or gone, within this time.</summary>
    public TimeSpan FrameDeadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A link stands within this time.</summary>
    public TimeSpan ConnectDeadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After a break the peer is tried for this time.</summary>
    public TimeSpan ProbeDeadline { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Clock and timers.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>TLS between nodes: whoever has a certificate that the authorities signed is one.</summary>
/// <param name="Certificate">This node's, with its key.</param>
/// <param name="Authorities">Who signs certificates of nodes; no others are trusted.</param>
/// <param name="Mutual">Whether callers show a certificate too.</param>
public sealed record PlaneTls(X509Certificate2 Certificate, X509Certificate2Collection Authorities, bool Mutual)
{
    /// <summary>The name that a peer's certificate must have; null: the host it is called by.</summary>
    public string? PeerName { get; init; }

    /// <summary>Which chains of certificates are trusted. Private authorities publish no revocations.</summary>
    public X509ChainPolicy ChainPolicy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(Authorities);
        return policy;
    }
}
