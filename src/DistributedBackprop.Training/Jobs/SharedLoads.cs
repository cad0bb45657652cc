using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs;

/// <summary>
/// Gives nodes that have little a share of what others have, cutting no replica that is whole: the last word on every
/// placement. Whoever has nothing takes a part of a replica that is cut anyway; whole replicas go to any node.
/// <para>
/// A move is made where both nodes then have less than the one that gives had before. With each the loads, sorted from the
/// largest, become lexicographically smaller: so it ends, and there is nothing left to do where it has been done.
/// </para>
/// </summary>
internal static class SharedLoads
{
    /// <summary>Shares what can be shared, and returns the arrangement.</summary>
    /// <param name="arrangement">All replicas are placed.</param>
    /// <param name="stay">How many stages of a replica were on a node before.</param>
    public static Arrangement Of(Arrangement arrangement, Func<int, int, int> stay)
    {
        do
        {
            while (TryMoveWhole(arrangement, stay))
            {
            }
        }
        while (UseIdleNodes(arrangement, cutsWholeOnes: false));
        return arrangement;
    }

    /// <summary>
    /// Gives each idle node a part of what a loaded one has: of the most loaded where that lowers the largest load, else of a
    /// replica that is cut anyway, for stages are asked for to be spread. Returns whether any got something.
    /// </summary>
    /// <param name="arrangement">All replicas are placed.</param>
    /// <param name="cutsWholeOnes">Whether the most loaded node gives a part of a replica that is whole.</param>
    public static bool UseIdleNodes(Arrangement arrangement, bool cutsWholeOnes)
    {
        var demand = arrangement.Demand;
        var idleNodes = Enumerable.Range(0, demand.Nodes.Length).Where(arrangement.IsIdle)
            .OrderByDescending(node => demand.Nodes[node].Threads).ToImmutableArray();
        var isUsed = false;
        foreach (var idle in idleNodes)
        {
            var largest = arrangement.Largest;
            var isAlone = cutsWholeOnes
                && Enumerable.Range(0, demand.Nodes.Length).Count(node => arrangement.LoadOf(node) == largest) == 1;
            var parts = from replica in Enumerable.Range(0, demand.Replicas)
                        let isCut = !arrangement.IsWholeAt(replica)
                        where isCut || isAlone
                        from run in StageRun.Of(arrangement[replica])
                        let load = arrangement.LoadOf(run.Node)
                        where isCut || load == largest
                        from part in run.Parts()
                        let work = demand.WorkOf(part.First, part.End)
                        let rest = arrangement.LoadWith(run.Node, -work)
                        let other = new Load(work, demand.Nodes[idle].Threads)
                        let larger = rest > other ? rest : other
                        where larger < load
                        orderby load descending, larger
                        select (replica, part);
            foreach (var (replica, part) in parts.Take(1).ToImmutableArray())
            {
                arrangement.Put(replica, part.First, part.End, idle);
                isUsed = true;
            }
        }

        return isUsed;
    }

    // From the most loaded node that can give one to the one that is least loaded with it.
    private static bool TryMoveWhole(Arrangement arrangement, Func<int, int, int> stay)
    {
        var demand = arrangement.Demand;
        var nodes = Enumerable.Range(0, demand.Nodes.Length).ToImmutableArray();
        var taker = nodes.MinBy(node => arrangement.LoadWith(node, demand.ReplicaWork));
        var load = arrangement.LoadWith(taker, demand.ReplicaWork);
        var givers = nodes.Where(node => arrangement.LoadOf(node) > load).ToHashSet();
        var given = Enumerable.Range(0, givers.Count == 0 ? 0 : demand.Replicas)
            .Where(replica => arrangement.IsWholeAt(replica) && givers.Contains(arrangement[replica][0]))
            .OrderByDescending(replica => arrangement.LoadOf(arrangement[replica][0]))
            .ThenBy(replica => stay(replica, arrangement[replica][0]))
            .ThenByDescending(replica => stay(replica, taker))
            .Append(Arrangement.Nowhere).First();
        if (given == Arrangement.Nowhere)
        {
            return false;
        }

        arrangement.Put(given, 0, demand.Stages, taker);
        return true;
    }
}
