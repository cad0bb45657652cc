using CsCheck;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Jobs;

/// <summary>A job and nodes to place it on, with what tests ask of a placement.</summary>
public sealed record PlacementCase(long[] Work, int Replicas, PlacementNode[] Nodes)
{
    /// <summary>Of any shape.</summary>
    public static Gen<PlacementCase> Any { get; } = Shapes(40, 10, 12, Gen.Long[0, 1000], Gen.Int[1, 16]);

    /// <summary>Equal nodes.</summary>
    public static Gen<PlacementCase> EqualNodes { get; } = Shapes(40, 10, 12, Gen.Long[1, 1000], Gen.Const(2));

    /// <summary>Few enough items to try every placement.</summary>
    public static Gen<PlacementCase> Small { get; } =
        Shapes(4, 4, 4, Gen.Long[1, 6], Gen.Int[1, 3]).Where(x => Math.Pow(x.Nodes.Length, x.Items) <= 5000);

    /// <summary>Few enough items to try every placement, on equal nodes.</summary>
    public static Gen<PlacementCase> SmallOnEqualNodes { get; } =
        Shapes(5, 4, 4, Gen.Long[1, 4], Gen.Const(1)).Where(x => Math.Pow(x.Nodes.Length, x.Items) <= 5000);

    public int Items => Work.Length * Replicas;

    public Placement Place(Placement? previous = null) => Placement.Of(Work, Replicas, Nodes, previous);

    public PlacementCase With(params PlacementNode[] nodes) => this with { Nodes = [.. Nodes, .. nodes] };

    public PlacementCase Without(int node) => this with { Nodes = [.. Nodes.Where((_, at) => at != node)] };

    /// <summary>The load of a node, exactly comparable in these small numbers.</summary>
    public decimal LoadOf(Placement placement, PlacementNode node) => (decimal)(
        from replica in Enumerable.Range(0, Replicas)
        from stage in Enumerable.Range(0, Work.Length)
        where placement[replica, stage] == node.Name
        select Math.Max(Work[stage], Work.Sum() == 0 ? 1 : 0)).Sum() / node.Threads;

    public decimal Largest(Placement placement) => Nodes.Max(node => LoadOf(placement, node));

    /// <summary>The loads of all nodes from the largest on: the smaller of two by the first that differs is the better one.</summary>
    public IReadOnlyList<decimal> Loads(Placement placement) =>
        [.. Nodes.Select(node => LoadOf(placement, node)).OrderDescending()];

    /// <summary>Below zero where the loads of one placement are smaller than those of another.</summary>
    public int CompareLoads(Placement one, Placement other) => Loads(one).Zip(Loads(other))
        .Select(pair => pair.First.CompareTo(pair.Second)).FirstOrDefault(order => order != 0);

    /// <summary>
    /// What would relieve a node without cutting a replica: a whole one that moves, or a part of one that is cut anyway that
    /// goes to a node with nothing, so that both nodes have less than the one that gives has.
    /// </summary>
    public IEnumerable<Placement> Reliefs(Placement placement) =>
        from replica in Enumerable.Range(0, Replicas)
        let isWhole = Enumerable.Range(0, Work.Length).All(stage => placement[replica, stage] == placement[replica, 0])
        from taker in Nodes
        where isWhole || !placement.Nodes.Contains(taker.Name)
        from first in Enumerable.Range(0, isWhole ? 1 : Work.Length)
        from end in isWhole ? [Work.Length] : Enumerable.Range(first + 1, Work.Length - first)
        let giver = Nodes.Single(node => node.Name == placement[replica, first])
        where giver != taker
        where Enumerable.Range(first, end - first).All(stage => placement[replica, stage] == giver.Name)
        let moved = new Placement(Replicas, Work.Length, (r, s) =>
            r == replica && s >= first && s < end ? taker.Name : placement[r, s])
        where IsInRuns(moved)
        where Math.Max(LoadOf(moved, giver), LoadOf(moved, taker)) < LoadOf(placement, giver)
        select moved;

    public int Cuts(Placement placement) => Enumerable.Range(0, Replicas).Count(replica =>
        Enumerable.Range(0, Work.Length).Any(stage => placement[replica, stage] != placement[replica, 0]));

    public int Moves(Placement before, Placement after) => (
        from replica in Enumerable.Range(0, Replicas)
        from stage in Enumerable.Range(0, Work.Length)
        where before[replica, stage] != after[replica, stage]
        select 1).Count();

    /// <summary>Whether no node has two runs of a replica.</summary>
    public bool IsInRuns(Placement placement) => Enumerable.Range(0, Replicas).All(replica =>
    {
        var nodes = Enumerable.Range(0, Work.Length).Select(stage => placement[replica, stage]).ToList();
        var crossings = nodes.Zip(nodes.Skip(1)).Count(pair => pair.First != pair.Second);
        return crossings == nodes.Distinct().Count() - 1;
    });

    /// <summary>Every placement in which no node has two runs of a replica.</summary>
    public IEnumerable<Placement> All()
    {
        var count = (int)Math.Pow(Nodes.Length, Items);
        for (var number = 0; number < count; number++)
        {
            var digits = new string[Items];
            for (int item = 0, rest = number; item < Items; item++, rest /= Nodes.Length)
            {
                digits[item] = Nodes[rest % Nodes.Length].Name;
            }

            var placement = new Placement(Replicas, Work.Length, (replica, stage) => digits[(replica * Work.Length) + stage]);
            if (IsInRuns(placement))
            {
                yield return placement;
            }
        }
    }

    public override string ToString() =>
        $"{Replicas} × [{string.Join(' ', Work)}] on {string.Join(' ', Nodes.Select(node => $"{node.Name}:{node.Threads}"))}";

    private static Gen<PlacementCase> Shapes(int replicas, int stages, int nodes, Gen<long> work, Gen<int> threads) =>
        from units in work.Array[1, stages]
        from count in Gen.Int[1, replicas]
        from counts in threads.Array[1, nodes]
        select new PlacementCase(units, count, [.. counts.Select((number, at) => new PlacementNode($"node-{at}", number))]);
}
