using Akka.TestKit.Xunit2;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Actors.Tests.Jobs;

/// <summary>Who is refused stays so for as long as it lives, and no longer.</summary>
public sealed class NodeChoiceTests : TestKit
{
    private readonly NodeChoice _nodes = new(SmallJob.Run);

    [Fact]
    public void Who_was_refused_is_another_node_once_it_is_started_again()
    {
        var (first, second) = (Node("n1"), Node("n2"));
        _nodes.OnChanged(new NodesChanged([first, second]));
        _nodes.Exclude("n1", "its data are others");
        _nodes.Place(null)!.Nodes.ShouldBe(["n2"]);
        _nodes.OnChanged(new NodesChanged([first with { Presence = NodePresence.Unreachable }, second]));
        _nodes.OnChanged(new NodesChanged([first, second]));
        _nodes.Place(null)!.Nodes.ShouldBe(["n2"], "it is the same one still");

        _nodes.OnChanged(new NodesChanged([Node("n1"), second]));
        _nodes.Place(null)!.Nodes.ShouldBe(["n1", "n2"]);
    }

    [Fact]
    public void Who_is_gone_is_not_kept_in_mind_either()
    {
        _nodes.OnChanged(new NodesChanged([Node("n1")]));
        _nodes.Exclude("n1", "its data are others");
        _nodes.IsEveryOneExcluded.ShouldBeTrue();
        _nodes.WhyNone.ShouldBe("n1 is refused: its data are others");
        _nodes.OnChanged(new NodesChanged([]));
        _nodes.Exclude("n1", "late");
        _nodes.WhyNone.ShouldBe("there are no nodes");
        _nodes.OnChanged(new NodesChanged([Node("n1")]));
        _nodes.IsEveryOneExcluded.ShouldBeFalse();
        _nodes.Place(null)!.Nodes.ShouldBe(["n1"]);
    }

    private NodeInfo Node(string name) =>
        new(new NodeDescription(name, 1, null, 1, "", ""), CreateTestProbe().Ref, NodePresence.Up);
}
