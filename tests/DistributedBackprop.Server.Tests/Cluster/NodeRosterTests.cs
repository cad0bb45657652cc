using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Server.Tests.Cluster;

/// <summary>Who is refused, and what it is told.</summary>
public sealed class NodeRosterTests
{
    private static readonly Address _address = new("akka.tcp", "cluster", "10.0.0.7", 4711);

    [Fact]
    public void A_node_with_other_cluster_settings_is_refused_with_both_digests_named_and_stays_so()
    {
        var ours = ClusterSettings.Digest(tls: false);
        var theirs = ClusterSettings.Digest(tls: true);
        theirs.ShouldNotBe(ours);
        var roster = new NodeRoster("1.0", ours);
        roster.Up(_address);
        var reason = $"node 'n1' has cluster settings {theirs}, this cluster has {ours}";
        roster.Describe(_address, Node("1.0", theirs), ActorRefs.Nobody).ShouldBe(reason);
        roster.Refused.ShouldBe([(_address, reason)]);
        roster.Nodes.ShouldBeEmpty();
        roster.Unknown.ShouldBeEmpty("it is not asked again");

        // What it says later changes nothing; another process at its address is another node.
        roster.Describe(_address, Node("1.0", ours), ActorRefs.Nobody).ShouldBeNull();
        roster.Nodes.ShouldBeEmpty();
        roster.Remove(_address);
        roster.Up(_address);
        roster.Describe(_address, Node("1.0", ours), ActorRefs.Nobody).ShouldBeNull();
        roster.Nodes.ShouldHaveSingleItem().Name.ShouldBe("n1");
    }

    private static NodeDescription Node(string version, string settings) => new("n1", 1, null, 1, version, settings);
}
