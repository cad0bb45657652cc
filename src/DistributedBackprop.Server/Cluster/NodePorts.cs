using DistributedBackprop.Server.Grpc;

namespace DistributedBackprop.Server.Cluster;

/// <summary>The ports of a node that are known once they are open.</summary>
internal sealed class NodePorts
{
    /// <summary>Its service's.</summary>
    public ServicePort Service { get; } = new();

    /// <summary>That of its health.</summary>
    public ServicePort Health { get; } = new();
}
