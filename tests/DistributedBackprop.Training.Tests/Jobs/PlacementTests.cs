using CsCheck;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Jobs;

public sealed class PlacementTests
{
    [Fact]
    public void Every_stage_of_every_replica_is_on_a_given_node_and_a_node_has_at_most_one_run_of_a_replica() =>
        PlacementCase.Any.Sample(x =>
        {
            var placement = x.Place();
            placement.Nodes.ShouldBeSubsetOf(x.Nodes.Select(node => node.Name));
            x.IsInRuns(placement).ShouldBeTrue();
            (placement.Replicas, placement.Stages).ShouldBe((x.Replicas, x.Work.Length));
            var onNodes = from node in placement.Nodes
                          from stage in Enumerable.Range(0, x.Work.Length)
                          from replica in placement.ReplicasOn(node, stage)
                          select (replica, stage);
            onNodes.ShouldBeUnique();
            onNodes.Count().ShouldBe(x.Items);
        });

    [Fact]
    public void The_order_in_which_nodes_are_listed_does_not_matter() =>
        PlacementCase.Any.SelectMany(x => Gen.Shuffle(x.Nodes).Select(shuffled => (x, shuffled))).Sample(pair =>
            (pair.x with { Nodes = pair.shuffled }).Place().ShouldBe(pair.x.Place()));

    [Fact]
    public void The_largest_load_is_within_the_heaviest_stage_of_the_mean() => PlacementCase.Any.Sample(x =>
    {
        // The mean is below what any placement reaches; the heaviest stage counts as on a node of mean threads.
        var threads = x.Nodes.Sum(node => node.Threads);
        var work = x.Work.Sum() == 0 ? x.Work.Select(_ => 1L).ToArray() : x.Work;
        var bound = ((decimal)(work.Sum() * x.Replicas) + (work.Max() * x.Nodes.Length)) / threads;
        // Whole replicas may be 1/32 above.
        x.Largest(x.Place()).ShouldBeLessThanOrEqualTo(bound * 32 / 31);
    });

    [Fact]
    public void The_largest_load_is_close_to_the_lowest_of_all_placements() => PlacementCase.Small.Sample(
        x =>
        {
            var best = x.All().Min(x.Largest);
            var heaviest = x.Work.Max() / (decimal)x.Nodes.Average(node => node.Threads);
            x.Largest(x.Place()).ShouldBeLessThan(best + heaviest);
        },
        iter: 200);

    [Fact]
    public void On_equal_nodes_one_replica_is_cut_as_evenly_as_can_be() =>
        PlacementCase.SmallOnEqualNodes.Select(x => x with { Replicas = 1 }).Sample(
            x => x.Largest(x.Place()).ShouldBe(x.All().Min(x.Largest)),
            iter: 200);

    [Fact]
    public void Equal_items_that_divide_evenly_are_exactly_even() =>
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 30], Gen.Int[1, 12]).Sample((nodes, each, stages) =>
        {
            var items = nodes * each;
            stages = Enumerable.Range(1, stages).Last(count => items % count == 0);
            var x = Equal(stages, items / stages, nodes);
            foreach (var node in x.Nodes)
            {
                x.LoadOf(x.Place(), node).ShouldBe(each * 10);
            }
        });

    [Fact]
    public void Replicas_that_divide_evenly_over_equal_nodes_are_whole_and_exactly_even() =>
        Gen.Select(PlacementCase.EqualNodes, Gen.Int[1, 5]).Sample((shape, each) =>
        {
            var x = shape with { Replicas = shape.Nodes.Length * each };
            var placement = x.Place();
            x.Cuts(placement).ShouldBe(0);
            x.Nodes.Select(node => x.LoadOf(placement, node)).Distinct().Count().ShouldBe(1);
        });

    [Fact]
    public void Replicas_are_cut_only_where_it_matters_and_fewer_than_there_are_nodes() => PlacementCase.Any.Sample(x =>
    {
        var placement = x.Place();
        var whole = (x with { Work = [Math.Max(1, x.Work.Sum())] }).Place();
        var uncut = x with { Work = x.Work.Sum() == 0 ? [.. x.Work.Select(_ => 1L)] : x.Work };
        var wholeLoad = uncut.Largest(new Placement(x.Replicas, x.Work.Length, (replica, _) => whole[replica, 0]));
        x.Cuts(placement).ShouldBeLessThan(x.Nodes.Length);
        if (x.Cuts(placement) > 0)
        {
            uncut.Largest(placement).ShouldBeLessThan(whole.Nodes.Length < x.Nodes.Length ? wholeLoad : wholeLoad * 31 / 32);
        }
        else
        {
            uncut.Largest(placement).ShouldBe(wholeLoad);
        }
    });

    [Fact]
    public void The_stages_of_one_replica_spread_over_the_nodes() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 20]).Sample((stages, nodes) =>
            Equal(stages, 1, nodes).Place().Nodes.Length.ShouldBe(Math.Min(stages, nodes)));

    [Fact]
    public void No_node_idles_that_could_take_something_from_the_most_loaded() => PlacementCase.Any.Sample(x =>
    {
        var placement = x.Place();
        var largest = x.Largest(placement);
        var most = x.Nodes.Where(node => x.LoadOf(placement, node) == largest).ToList();
        foreach (var idle in x.Nodes.Where(node => !placement.Nodes.Contains(node.Name)))
        {
            var canHelp = from replica in Enumerable.Range(0, x.Replicas)
                          from first in Enumerable.Range(0, x.Work.Length)
                          from end in Enumerable.Range(first + 1, x.Work.Length - first)
                          let work = x.Work[first..end].Sum()
                          where Enumerable.Range(first, end - first).All(stage => placement[replica, stage] == most[0].Name)
                          where work > 0 && (decimal)work / idle.Threads < largest
                          let moved = new Placement(x.Replicas, x.Work.Length, (r, s) =>
                              r == replica && s >= first && s < end ? idle.Name : placement[r, s])
                          where x.IsInRuns(moved)
                          select moved;
            (most.Count == 1 ? canHelp.FirstOrDefault() : null).ShouldBeNull($"{placement} could be better");
        }
    });

    [Fact]
    public void Examples()
    {
        Equal(1, 4, 2).Place().ToString().ShouldBe("node-0: replicas 0–1; node-1: replicas 2–3");
        Equal(2, 3, 2).Place().ToString().ShouldBe("node-0: replica 0, replica 2 stage 0; node-1: replica 1, replica 2 stage 1");
        Equal(4, 1, 3).Place().ToString()
            .ShouldBe("node-0: replica 0 stage 0; node-1: replica 0 stages 2–3; node-2: replica 0 stage 1");
        new PlacementCase([10, 10, 80, 20], 1, Nodes(2)).Place().ToString()
            .ShouldBe("node-0: replica 0 stages 0–2; node-1: replica 0 stage 3");
        new PlacementCase([1], 9, [new("small", 1), new("large", 8)]).Place().ToString()
            .ShouldBe("large: replicas 0–7; small: replica 8");
    }

    [Fact]
    public void Placements_are_equal_by_value()
    {
        var x = Equal(3, 2, 4);
        x.Place().ShouldBe(x.Place());
        x.Place().GetHashCode().ShouldBe(x.Place().GetHashCode());
        x.Place().ShouldNotBe(Equal(3, 2, 2).Place());
        new Placement(2, 1, (_, _) => "a").ShouldNotBe(new Placement(1, 2, (_, _) => "a"));
    }

    [Theory]
    [InlineData(1024, 64, 64)]
    [InlineData(1023, 64, 63)]
    [InlineData(1, 64, 64)]
    [InlineData(63, 64, 64)]
    [InlineData(1024, 1, 1)]
    public void Large_jobs_are_placed(int replicas, int stages, int nodes)
    {
        var work = Enumerable.Range(0, stages).Select(stage => 1_000_000_000L + (stage * stage * 12_345_678L)).ToArray();
        var x = new PlacementCase(work, replicas, [.. Nodes(nodes).Select((node, at) => node with { Threads = 1 + (at % 7) })]);
        var grown = x.With(new PlacementNode("node-a", 5));
        var shrunk = nodes > 1 ? x.Without(nodes / 2) : x;
        foreach (var y in new[] { x, grown, shrunk })
        {
            var placement = y.Place(x.Place());
            y.IsInRuns(placement).ShouldBeTrue();
            y.Largest(placement).ShouldBeLessThanOrEqualTo(y.Largest(y.Place()));
        }
    }

    [Fact]
    public void Arguments_outside_their_range_are_named()
    {
        PlacementNode a = new("a", 1);
        Refused("nodes", () => Placement.Of([1], 1, [])).ShouldContain("no node");
        Refused("nodes", () => Placement.Of([1], 1, [a, a])).ShouldContain("Two nodes are named a");
        Refused("nodes", () => Placement.Of([1], 1, [a, new("b", 0)])).ShouldContain("Node b must have at least 1 thread (was 0)");
        Refused("nodes", () => Placement.Of([1], 1, [new("", 1)])).ShouldContain("name");
        Refused("replicas", () => Placement.Of([1], 0, [a])).ShouldContain("at least one replica");
        Refused("stageWork", () => Placement.Of([], 1, [a])).ShouldContain("at least one stage");
        Refused("stageWork", () => Placement.Of([1, -1], 1, [a])).ShouldContain("stage 1 must be at least 0 (was -1)");
        Refused("stageWork", () => Placement.Of([long.MaxValue / 2], 3, [a])).ShouldContain("at most");
        Refused("previous", () => Placement.Of([1], 2, [a], Placement.Of([1], 1, [a]))).ShouldContain("1 replicas of 1 stages");
        // What is as large as can be overflows nowhere.
        Placement.Of([long.MaxValue / 4, 0, long.MaxValue / 4], 2, [a, new("b", int.MaxValue)])[0, 0].ShouldBe("b");
    }

    private static string Refused(string parameter, Func<object> call)
    {
        var refusal = Should.Throw<ArgumentException>(call);
        refusal.ParamName.ShouldBe(parameter);
        return refusal.Message;
    }

    private static PlacementNode[] Nodes(int count) => [.. Enumerable.Range(0, count).Select(at => new PlacementNode($"node-{at}", 4))];

    private static PlacementCase Equal(int stages, int replicas, int nodes) =>
        new([.. Enumerable.Repeat(40L, stages)], replicas, Nodes(nodes));
}
