using System.Net;
using DistributedBackprop.Actors.Wire;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>A node asks another where its service is; what is lost is asked again.</summary>
public sealed record DescribeService : IWireMessage;

/// <summary>The answer to <see cref="DescribeService"/>.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="EndPoint">Where it serves.</param>
/// <param name="IsTls">Whether it serves over TLS.</param>
/// <param name="Threads">Threads on which its layers compute; 0 where it does not train.</param>
/// <param name="ProcessId">The process it is.</param>
public sealed record ServiceDescribed(string Node, DnsEndPoint EndPoint, bool IsTls, int Threads, int ProcessId) : IWireMessage;
