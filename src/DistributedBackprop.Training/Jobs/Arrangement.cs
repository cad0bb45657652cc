namespace DistributedBackprop.Training.Jobs;

/// <summary>A placement in the making: what is on which node, by index, and how much room each has under a limit.</summary>
internal sealed class Arrangement
{
    /// <summary>Where a stage is that has no node.</summary>
    public const int Nowhere = -1;

    private readonly int[][] _nodeOf;
    private readonly long[] _room;
    private readonly long[] _work;

    /// <param name="demand">What is to be placed.</param>
    /// <param name="limit">No node shall have more.</param>
    public Arrangement(PlacementDemand demand, Load limit)
    {
        Demand = demand;
        _room = [.. demand.Nodes.Select(node => limit.Allows(node.Threads, demand.AllWork))];
        _work = new long[_room.Length];
        _nodeOf = new int[demand.Replicas][];
        for (var replica = 0; replica < demand.Replicas; replica++)
        {
            _nodeOf[replica] = new int[demand.Stages];
            Array.Fill(_nodeOf[replica], Nowhere);
        }
    }

    public PlacementDemand Demand { get; }

    /// <summary>The load of the node that has most.</summary>
    public Load Largest => Enumerable.Range(0, _work.Length).Max(LoadOf);

    /// <summary>How many replicas are on more than one node.</summary>
    public int Cuts => _nodeOf.Count(stages => !IsWhole(stages));

    /// <summary>The nodes of a replica's stages.</summary>
    public ReadOnlySpan<int> this[int replica] => _nodeOf[replica];

    /// <summary>Whether all of a replica is on one node.</summary>
    public bool IsWholeAt(int replica) => IsWhole(_nodeOf[replica]);

    /// <summary>The work that a node may still get; below zero when it has too much.</summary>
    public long RoomOf(int node) => _room[node];

    /// <summary>Whether a node has nothing.</summary>
    public bool IsIdle(int node) => !_nodeOf.Any(stages => stages.Contains(node));

    public Load LoadOf(int node) => new(_work[node], Demand.Nodes[node].Threads);

    /// <summary>What a node's load would be with so much more work.</summary>
    public Load LoadWith(int node, long work) => new(_work[node] + (Int128)work, Demand.Nodes[node].Threads);

    /// <summary>Puts the stages from <paramref name="first"/> to before <paramref name="end"/>, wherever they were.</summary>
    public void Put(int replica, int first, int end, int node)
    {
        for (var stage = first; stage < end; stage++)
        {
            Account(_nodeOf[replica][stage], -Demand.WorkOf(stage, stage + 1));
            _nodeOf[replica][stage] = node;
            Account(node, Demand.WorkOf(stage, stage + 1));
        }
    }

    /// <summary>Puts a replica as the nodes of its stages say.</summary>
    public void Put(int replica, ReadOnlySpan<int> nodeOf)
    {
        for (var stage = 0; stage < nodeOf.Length; stage++)
        {
            Put(replica, stage, stage + 1, nodeOf[stage]);
        }
    }

    /// <summary>Takes a replica away from where it is.</summary>
    public void Take(int replica) => Put(replica, 0, Demand.Stages, Nowhere);

    /// <summary>Puts a replica whole on the node whose load is then lowest, of those with room for it.</summary>
    public bool TryPutWhole(int replica)
    {
        var node = Enumerable.Range(0, _room.Length).Where(node => _room[node] >= Demand.ReplicaWork)
            .OrderBy(node => LoadWith(node, Demand.ReplicaWork)).Append(Nowhere).First();
        if (node != Nowhere)
        {
            Put(replica, 0, Demand.Stages, node);
        }

        return node != Nowhere;
    }

    /// <summary>
    /// Puts a replica run by run, each on the node that can take the longest, of several the one with least room: no room
    /// is left over in which the next stage would have fitted.
    /// </summary>
    public bool TryCut(int replica)
    {
        for (int first = 0, end; first < Demand.Stages; first = end)
        {
            end = first;
            var chosen = Nowhere;
            for (var node = 0; node < _room.Length; node++)
            {
                var reach = _nodeOf[replica].AsSpan(0, first).Contains(node) ? first : Demand.Reach(first, _room[node]);
                if (reach > end || (reach == end && chosen != Nowhere && _room[node] < _room[chosen]))
                {
                    (end, chosen) = (reach, node);
                }
            }

            if (chosen == Nowhere)
            {
                return false;
            }

            Put(replica, first, end, chosen);
        }

        return true;
    }

    private static bool IsWhole(int[] stages) => !stages.AsSpan().ContainsAnyExcept(stages[0]);

    private void Account(int node, long work)
    {
        if (node != Nowhere)
        {
            _work[node] += work;
            _room[node] -= work;
        }
    }
}
