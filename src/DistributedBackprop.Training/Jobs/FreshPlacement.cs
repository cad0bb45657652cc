namespace DistributedBackprop.Training.Jobs;

/// <summary>Places a job as if it were nowhere yet: sets how low the largest load can be, and how many replicas are cut.</summary>
internal static class FreshPlacement
{
    // A cut costs a crossing in every micro-batch: it must lower the largest load by more than one part in so many.
    private const int WorthACut = 32;

    /// <summary>Places all replicas.</summary>
    public static Arrangement Of(PlacementDemand demand)
    {
        var whole = Whole(demand);
        if (demand.Stages == 1 || demand.Nodes.Length == 1)
        {
            return whole;
        }

        var cut = Cut(demand);
        if (cut.Largest > whole.Largest)
        {
            cut = Whole(demand);
        }

        SharedLoads.UseIdleNodes(cut, cutsWholeOnes: true);
        var isLower = cut.Largest < whole.Largest;
        var leavesIdle = Enumerable.Range(0, demand.Nodes.Length).Any(whole.IsIdle);
        var isWorthIt = (isLower && leavesIdle) || cut.Largest.IsLowerByMoreThanOneIn(WorthACut, whole.Largest);
        return SharedLoads.Of(isWorthIt ? cut : whole, (_, _) => 0);
    }

    // Replicas are equal, so giving each to the node whose load is then lowest makes the largest as low as whole ones can.
    private static Arrangement Whole(PlacementDemand demand)
    {
        var counts = new int[demand.Nodes.Length];
        for (var replica = 0; replica < demand.Replicas; replica++)
        {
            counts[Enumerable.Range(0, counts.Length).MinBy(node => new Load(counts[node] + 1, demand.Nodes[node].Threads))]++;
        }

        var arrangement = new Arrangement(demand, new Load(demand.AllWork, 1));
        PutWhole(arrangement, counts);
        return arrangement;
    }

    // Bisects for the lowest limit under which everything finds its place.
    private static Arrangement Cut(PlacementDemand demand)
    {
        // The grid is fine enough to tell a/t from b/u where threads are at most 2^16; beyond, it rounds up a little.
        var most = demand.Nodes.Max(node => (long)node.Threads);
        var grid = (long)Int128.Min((Int128)most * most, 1L << 32);
        // Nothing fits below the mean, nor below what the heaviest stage costs the fastest node.
        var mean = Above((Int128)demand.AllWork * grid, demand.AllThreads);
        var fails = Int128.Max(mean, Above((Int128)demand.Heaviest * grid, most)) - 1;
        // A stage finds no room only when every node has less left than the heaviest stage: not at the mean and that.
        var fits = Above((demand.AllWork + ((Int128)demand.Heaviest * demand.Nodes.Length)) * grid, demand.AllThreads);
        var best = Within(demand, new Load(fits, grid))!;
        while (fits - fails > 1)
        {
            var middle = fails + ((fits - fails) / 2);
            if (Within(demand, new Load(middle, grid)) is { } lower)
            {
                (fits, best) = (middle, lower);
            }
            else
            {
                fails = middle;
            }
        }

        return best;
    }

    private static Int128 Above(Int128 dividend, Int128 divisor) => (dividend + divisor - 1) / divisor;

    private static Arrangement? Within(PlacementDemand demand, Load limit)
    {
        var arrangement = new Arrangement(demand, limit);
        var left = demand.Replicas;
        var counts = new int[demand.Nodes.Length];
        for (var node = 0; node < counts.Length; node++)
        {
            counts[node] = (int)Math.Min(left, arrangement.RoomOf(node) / demand.ReplicaWork);
            left -= counts[node];
        }

        PutWhole(arrangement, counts);
        for (var replica = demand.Replicas - left; replica < demand.Replicas; replica++)
        {
            if (!arrangement.TryCut(replica))
            {
                return null;
            }
        }

        return arrangement;
    }

    private static void PutWhole(Arrangement arrangement, int[] counts)
    {
        var replica = 0;
        for (var node = 0; node < counts.Length; node++)
        {
            for (var count = 0; count < counts[node]; count++)
            {
                arrangement.Put(replica++, 0, arrangement.Demand.Stages, node);
            }
        }
    }
}
