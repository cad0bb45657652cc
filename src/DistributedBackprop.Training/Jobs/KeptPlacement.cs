using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs;

/// <summary>
/// Changes a placement as little as it can until it is as good as a fresh one: no larger load, no more replicas cut. Three
/// ways are tried, the first that is good enough is taken: only what lost its node moves; every node keeps the whole replicas
/// for which it has room, and the others are laid out again close to where they were; the fresh placement, with its replicas
/// renamed so that most stay. Last, nodes that have little take their share (<see cref="SharedLoads"/>).
/// </summary>
internal sealed class KeptPlacement
{
    private readonly PlacementDemand _demand;
    private readonly Arrangement _fresh;
    private readonly Load _limit;
    private readonly ImmutableArray<ImmutableArray<int>> _before;

    private KeptPlacement(PlacementDemand demand, Placement previous)
    {
        _demand = demand;
        _fresh = FreshPlacement.Of(demand);
        _limit = _fresh.Largest;
        var index = demand.Nodes.Select((node, at) => (node.Name, at)).ToDictionary(x => x.Name, x => x.at, StringComparer.Ordinal);
        _before = [.. Enumerable.Range(0, demand.Replicas).Select(replica =>
            Enumerable.Range(0, demand.Stages)
                .Select(stage => index.GetValueOrDefault(previous[replica, stage], Arrangement.Nowhere)).ToImmutableArray())];
    }

    /// <summary>Places all replicas.</summary>
    public static Arrangement Of(PlacementDemand demand, Placement previous)
    {
        var kept = new KeptPlacement(demand, previous);
        return SharedLoads.Of(kept.OnlyWhatIsLost() ?? kept.WholeFirst() ?? kept.Renamed(), kept.Stay);
    }

    private Arrangement? OnlyWhatIsLost()
    {
        var arrangement = new Arrangement(_demand, _limit);
        for (var replica = 0; replica < _demand.Replicas; replica++)
        {
            arrangement.Put(replica, _before[replica].AsSpan());
        }

        if (Enumerable.Range(0, _demand.Nodes.Length).Any(node => arrangement.RoomOf(node) < 0))
        {
            return null;
        }

        // Those with something left have less choice: they come first.
        var broken = Enumerable.Range(0, _demand.Replicas).Where(replica => !IsInRuns(_before[replica]))
            .OrderBy(replica => Stay(replica) == 0);
        return broken.All(replica => TryPut(arrangement, replica)) ? IfNoMoreCuts(arrangement) : null;
    }

    private Arrangement? WholeFirst()
    {
        var arrangement = new Arrangement(_demand, _limit);
        var cut = PutWhole(arrangement);
        return cut.All(replica => RunChoice.TryPut(arrangement, replica, _before[replica])) ? IfNoMoreCuts(arrangement) : null;
    }

    private Arrangement Renamed()
    {
        var arrangement = new Arrangement(_demand, _limit);
        var layouts = Enumerable.Range(0, _demand.Replicas).Where(replica => !_fresh.IsWholeAt(replica)).ToList();
        foreach (var replica in PutWhole(arrangement))
        {
            var layout = layouts.MaxBy(layout => Overlap(_fresh[layout], replica));
            layouts.Remove(layout);
            arrangement.Put(replica, _fresh[layout]);
        }

        return arrangement;
    }

    // Puts as many whole replicas as the fresh placement has and tells which are to be cut.
    private ImmutableArray<int> PutWhole(Arrangement arrangement)
    {
        var slots = Slots();
        var loose = new List<int>();
        for (var replica = 0; replica < _demand.Replicas; replica++)
        {
            if (_before[replica][0] is var node && Stay(replica, node) == _demand.Stages && slots[node] > 0)
            {
                arrangement.Put(replica, 0, _demand.Stages, node);
                slots[node]--;
            }
            else
            {
                loose.Add(replica);
            }
        }

        // Those are cut of which most would stay that would move if they were put whole on some node.
        var cut = loose.OrderByDescending(replica => Stay(replica) - BestSlot(slots, replica).Stay)
            .Take(_fresh.Cuts).Order().ToImmutableArray();
        foreach (var replica in loose.Except(cut).OrderByDescending(replica => BestSlot(slots, replica).Stay).ToImmutableArray())
        {
            var (stay, node) = BestSlot(slots, replica);
            if (stay == 0)
            {
                node = Enumerable.Range(0, slots.Length).Where(node => slots[node] > 0)
                    .MinBy(node => arrangement.LoadWith(node, _demand.ReplicaWork));
            }

            arrangement.Put(replica, 0, _demand.Stages, node);
            slots[node]--;
        }

        return cut;
    }

    // How many whole replicas a node may have: beside cut ones as many as in the fresh placement, else what it can bear.
    private int[] Slots()
    {
        if (_fresh.Cuts == 0)
        {
            return [.. _demand.Nodes.Select(node => (int)(_limit.Allows(node.Threads, _demand.AllWork) / _demand.ReplicaWork))];
        }

        var slots = new int[_demand.Nodes.Length];
        foreach (var replica in Enumerable.Range(0, _demand.Replicas).Where(_fresh.IsWholeAt))
        {
            slots[_fresh[replica][0]]++;
        }

        return slots;
    }

    private (int Stay, int Node) BestSlot(int[] slots, int replica) => _before[replica].Distinct()
        .Where(node => node != Arrangement.Nowhere && slots[node] > 0)
        .Select(node => (Stay: Stay(replica, node), Node: node))
        .Append((Stay: 0, Node: Arrangement.Nowhere)).MaxBy(x => x.Stay);

    private bool TryPut(Arrangement arrangement, int replica)
    {
        arrangement.Take(replica);
        return Stay(replica) > 0
            ? RunChoice.TryPut(arrangement, replica, _before[replica])
            : arrangement.TryPutWhole(replica) || arrangement.TryCut(replica);
    }

    private Arrangement? IfNoMoreCuts(Arrangement arrangement) => arrangement.Cuts <= _fresh.Cuts ? arrangement : null;

    private int Stay(int replica) => _before[replica].Count(node => node != Arrangement.Nowhere);

    private int Stay(int replica, int node) => node == Arrangement.Nowhere ? 0 : _before[replica].Count(at => at == node);

    private int Overlap(ReadOnlySpan<int> layout, int replica)
    {
        var overlap = 0;
        for (var stage = 0; stage < layout.Length; stage++)
        {
            overlap += layout[stage] == _before[replica][stage] ? 1 : 0;
        }

        return overlap;
    }

    private static bool IsInRuns(ImmutableArray<int> nodeOf)
    {
        var runs = StageRun.Of(nodeOf.AsSpan());
        return runs.All(run => run.Node != Arrangement.Nowhere) && runs.Select(run => run.Node).Distinct().Count() == runs.Length;
    }
}
