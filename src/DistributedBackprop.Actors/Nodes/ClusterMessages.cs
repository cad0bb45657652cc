using DistributedBackprop.Actors.Wire;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>A node asks one of its seeds whether it is still of one cluster with it; what is lost is asked again.</summary>
/// <param name="Address">The asker's address.</param>
/// <param name="Uid">The asker's incarnation at that address.</param>
public sealed record DescribeCluster(string Address, int Uid) : IWireMessage;

/// <summary>The answer to <see cref="DescribeCluster"/>.</summary>
/// <param name="Uid">The incarnation of the one that answers.</param>
/// <param name="GoesOnWithoutAsker">
/// Whether it is of a cluster that has a coordinator, and in which the asker is no member.
/// </param>
public sealed record ClusterDescribed(int Uid, bool GoesOnWithoutAsker) : IWireMessage;
