using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs;

/// <summary>
/// Lays out one replica that was on several nodes, or on too full a node: runs that fit the rooms of nodes, as many stages
/// as possible where they were, then as few runs as possible, then as much work as possible where it was. A dynamic program
/// over (stage, nodes that had some of it in pipeline order, other nodes by falling room); each node gets at most one run.
/// </summary>
internal sealed class RunChoice
{
    private const long Impossible = long.MinValue / 2;
    // A stage that stays outweighs all runs, a run all of the work that stays.
    private const long Stays = 1L << 48;
    private const long Run = 1L << 33;
    private const long AllWork = 1L << 32;

    private readonly PlacementDemand _demand;
    private readonly ImmutableArray<int> _old;
    private readonly ImmutableArray<int> _new;
    private readonly ImmutableArray<int> _before;
    private readonly Func<int, long> _room;
    private readonly long[,,] _best;

    private RunChoice(Arrangement arrangement, ImmutableArray<int> before)
    {
        _demand = arrangement.Demand;
        _before = before;
        _room = arrangement.RoomOf;
        _old = [.. before.Where(node => node != Arrangement.Nowhere).Distinct()];
        _new = [.. Enumerable.Range(0, _demand.Nodes.Length).Except(_old)
            .OrderByDescending(_room).ThenBy(node => node).Take(_demand.Stages)];
        _best = new long[_demand.Stages + 1, _old.Length + 1, _new.Length + 1];
    }

    /// <summary>Puts a replica that is not placed.</summary>
    /// <param name="arrangement">Where.</param>
    /// <param name="replica">Which.</param>
    /// <param name="before">Where its stages were; <see cref="Arrangement.Nowhere"/> for nodes that are no more.</param>
    /// <returns>False when it fits no way that was looked at; nothing has changed then.</returns>
    public static bool TryPut(Arrangement arrangement, int replica, ImmutableArray<int> before)
    {
        var choice = new RunChoice(arrangement, before);
        choice.Fill();
        if (choice._best[0, 0, 0] <= Impossible)
        {
            return false;
        }

        foreach (var run in choice.Runs())
        {
            arrangement.Put(replica, run.First, run.End, run.Node);
        }

        return true;
    }

    private void Fill()
    {
        for (var first = _demand.Stages; first >= 0; first--)
        {
            for (var old = _old.Length; old >= 0; old--)
            {
                for (var fresh = _new.Length; fresh >= 0; fresh--)
                {
                    _best[first, old, fresh] = first == _demand.Stages ? 0 : Next(first, old, fresh).Value;
                }
            }
        }
    }

    private IEnumerable<StageRun> Runs()
    {
        for (int first = 0, old = 0, fresh = 0; first < _demand.Stages;)
        {
            var next = Next(first, old, fresh);
            if (next.End > first)
            {
                yield return new StageRun(first, next.End, next.IsOld ? _old[old] : _new[fresh]);
            }

            (first, old, fresh) = (next.End, next.IsOld ? old + 1 : old, next.IsOld ? fresh : fresh + 1);
        }
    }

    // The next node in either row takes a run, or none (End = first).
    private (long Value, bool IsOld, int End) Next(int first, int old, int fresh)
    {
        var best = (Value: Impossible, IsOld: true, End: first);
        for (var row = 0; row < 2; row++)
        {
            var isOld = row == 0;
            if (isOld ? old == _old.Length : fresh == _new.Length)
            {
                continue;
            }

            var node = isOld ? _old[old] : _new[fresh];
            var room = _room(node);
            var gain = 0L;
            for (var end = first; end <= _demand.Stages && _demand.WorkOf(first, end) <= Math.Max(room, 0); end++)
            {
                gain += end == first ? 0 : (end == first + 1 ? -Run : 0) + (_before[end - 1] == node ? Stays + Share(end - 1) : 0);
                var value = gain + _best[end, isOld ? old + 1 : old, isOld ? fresh : fresh + 1];
                if (value > best.Value)
                {
                    best = (value, isOld, end);
                }
            }
        }

        // Sums with the impossible stay impossible.
        return best.Value <= Impossible / 2 ? best with { Value = Impossible } : best;
    }

    private long Share(int stage) => (long)((Int128)_demand.WorkOf(stage, stage + 1) * AllWork / _demand.ReplicaWork);
}
