using CsCheck;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Jobs;

public sealed class PlacementChangeTests
{
    private static readonly Gen<(PlacementCase Before, PlacementCase After)> _changes = Changes(PlacementCase.Any);

    [Fact]
    public void The_same_nodes_again_change_nothing() => _changes.Sample(x =>
    {
        var placement = x.After.Place(x.Before.Place());
        x.After.Place(placement).ShouldBe(placement);
        x.Before.Place(x.Before.Place()).ShouldBe(x.Before.Place());
    });

    [Fact]
    public void What_was_kept_is_as_good_as_a_fresh_placement() => _changes.Sample(x =>
    {
        var (fresh, placement) = (x.After.Place(), x.After.Place(x.Before.Place()));
        x.After.Largest(placement).ShouldBeLessThanOrEqualTo(x.After.Largest(fresh));
        x.After.Cuts(placement).ShouldBeLessThanOrEqualTo(x.After.Cuts(fresh));
        x.After.IsInRuns(placement).ShouldBeTrue();
        placement.Nodes.ShouldBeSubsetOf(x.After.Nodes.Select(node => node.Name));
    });

    [Fact]
    public void The_order_in_which_nodes_are_listed_does_not_matter() => _changes.Sample(x =>
    {
        var before = x.Before.Place();
        (x.After with { Nodes = [.. x.After.Nodes.Reverse()] }).Place(before).ShouldBe(x.After.Place(before));
    });

    [Fact]
    public void Any_placement_before_will_do() =>
        PlacementCase.Any.SelectMany(x => Gen.Int[0, x.Nodes.Length].Array[x.Items].Select(at => (x, at))).Sample(pair =>
        {
            var (x, at) = pair;
            var previous = new Placement(x.Replicas, x.Work.Length, (r, s) => $"node-{at[(r * x.Work.Length) + s]}");
            x.IsInRuns(x.Place(previous)).ShouldBeTrue();
            x.Largest(x.Place(previous)).ShouldBeLessThanOrEqualTo(x.Largest(x.Place()));
        });

    [Fact]
    public void When_a_node_joins_whole_replicas_move_only_to_it() =>
        PlacementCase.EqualNodes.Select(x => x with { Work = [10] }).Sample(x =>
        {
            var after = x.With(new PlacementNode("joined", 2));
            var (before, now) = (x.Place(), after.Place(x.Place()));
            var mean = x.Replicas / after.Nodes.Length;
            after.Moves(before, now).ShouldBe(now.ReplicasOn("joined", 0).Count());
            now.ReplicasOn("joined", 0).Count().ShouldBe(mean);
        });

    [Fact]
    public void A_node_takes_its_share_also_where_the_largest_load_stays() => _changes.Sample(x =>
    {
        x.Before.Reliefs(x.Before.Place()).ShouldBeEmpty();
        x.After.Reliefs(x.After.Place(x.Before.Place())).ShouldBeEmpty();
    });

    [Fact]
    public void Whole_replicas_on_equal_nodes_are_as_even_as_can_be_whatever_came_and_went() =>
        Gen.Select(PlacementCase.EqualNodes.Select(x => x with { Work = [10] }), Gen.Int[0, 20].Array[1, 8]).Sample((all, changes) =>
        {
            var (here, placement) = (all, all.Place());
            foreach (var at in changes)
            {
                // Whoever is there leaves, whoever is not comes back; the last one stays.
                var node = all.Nodes[at % all.Nodes.Length];
                var others = here.Nodes.Where(other => other != node).ToArray();
                here = here with { Nodes = others.Length < here.Nodes.Length && others.Length > 0 ? others : [.. others, node] };
                placement = here.Place(placement);
                here.Loads(placement).ShouldBe(here.Loads(here.Place()));
                here.Place(placement).ShouldBe(placement);
            }
        });

    [Fact]
    public void The_loads_of_whole_replicas_on_equal_nodes_are_the_least_of_all() =>
        Changes(PlacementCase.SmallOnEqualNodes.Select(x => x with { Work = [x.Work[0]] })).Sample(
            x =>
            {
                var now = x.After.Place(x.Before.Place());
                x.After.All().Any(other => x.After.CompareLoads(other, now) < 0).ShouldBeFalse();
            },
            iter: 200);

    [Fact]
    public void When_a_node_leaves_only_its_replicas_move() =>
        PlacementCase.EqualNodes.Where(x => x.Nodes.Length > 1).Select(x => x with { Work = [10] }).Sample(x =>
        {
            var (before, gone) = (x.Place(), x.Nodes[0].Name);
            x.Moves(before, x.Without(0).Place(before)).ShouldBe(before.ReplicasOn(gone, 0).Count());
        });

    [Fact]
    public void As_little_moves_as_must() => Changes(PlacementCase.SmallOnEqualNodes).Sample(
        x =>
        {
            var before = x.Before.Place();
            var (fresh, now) = (x.After.Place(), x.After.Place(before));
            var (limit, cuts) = (x.After.Largest(fresh), x.After.Cuts(fresh));
            var least = x.After.All().Where(other => x.After.Largest(other) <= limit && x.After.Cuts(other) <= cuts)
                .Where(other => !x.After.Reliefs(other).Any())
                .Min(other => x.After.Moves(before, other));
            // Near: within a replica's stages of the least, and the least itself where nothing can be cut.
            x.After.Moves(before, now).ShouldBeLessThanOrEqualTo(least + x.Before.Work.Length - 1, $"{before} became {now}");
        },
        iter: 100);

    [Fact]
    public void Examples()
    {
        var one = new PlacementCase([10, 10, 10, 10, 10, 10, 10, 10], 1, [new("a", 1), new("b", 1)]);
        one.Place().ToString().ShouldBe("a: replica 0 stages 0–3; b: replica 0 stages 4–7");
        one.With(new PlacementNode("c", 1)).Place(one.Place()).ToString()
            .ShouldBe("a: replica 0 stages 0–2; b: replica 0 stages 5–7; c: replica 0 stages 3–4");
        one.Without(0).Place(one.Place()).ToString().ShouldBe("b: replica 0");

        var four = new PlacementCase([10], 4, [new("a", 1), new("b", 1)]);
        four.With(new PlacementNode("c", 1)).Place(four.Place()).ToString()
            .ShouldBe("a: replica 1; b: replicas 2–3; c: replica 0");
        four.With(new("c", 1), new("d", 1)).Place(four.Place()).ToString()
            .ShouldBe("a: replica 0; b: replica 2; c: replica 1; d: replica 3");
    }

    private static Gen<(PlacementCase Before, PlacementCase After)> Changes(Gen<PlacementCase> cases) =>
        from before in cases
        from joins in Gen.Bool
        from leaver in Gen.Int[0, 100]
        from threads in Gen.Int[1, 4]
        let joined = new PlacementNode($"node-{leaver % 10}-joined", before.Nodes.Max(node => node.Threads) == 1 ? 1 : threads)
        let after = joins || before.Nodes.Length == 1 ? before.With(joined) : before.Without(leaver % before.Nodes.Length)
        where Math.Pow(after.Nodes.Length, after.Items) <= 1500 || before.Items > 12
        select (before, after);
}
