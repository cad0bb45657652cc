using System.Net;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Server.Grpc;

/// <summary>How a node serves.</summary>
/// <param name="EndPoint">Where it listens; port 0: any.</param>
/// <param name="Token">What callers must know.</param>
public sealed record ServiceOptions(IPEndPoint EndPoint, AccessToken Token)
{
    /// <summary>The port of a coordinator's service, unless it is told otherwise.</summary>
    public const int DefaultPort = 4700;

    /// <summary>Whether callers must show a certificate of the node's authority; only with TLS.</summary>
    public bool AsksForCertificates { get; init; }

    /// <summary>Where it answers, over plain HTTP, whether it lives and is ready; port 0: any; null: nowhere.</summary>
    public IPEndPoint? Health { get; init; }

    /// <summary>Whether it describes itself to tools (reflection).</summary>
    public bool IsDevelopment { get; init; }

    /// <summary>What a job may ask for.</summary>
    public JobLimits Jobs { get; init; } = new();

    /// <summary>How many jobs there may be.</summary>
    public JobTableLimits Table { get; init; } = new();
}
