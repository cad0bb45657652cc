using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs;

/// <summary>
/// On which node each stage of each replica runs. Changes what is fast, never what is computed.
/// <para>
/// How it is chosen (<see cref="Of"/>). The load of a node is the work of what it has, divided by its threads; a step takes as
/// long as the largest load. Replicas are equal, so whole ones are dealt greedily, each to the node whose load is then lowest:
/// no other way to place them whole has a lower largest load. That is taken unless cutting replicas into runs of stages lowers
/// the largest load by more than 1/32, or at all where some node would have nothing. Cutting: under a limit, each node
/// gets as many whole replicas as fit, and the few that are left (fewer than nodes) are cut, each run to the node that can take
/// the longest; the limit is bisected. A stage finds no room only when every node has less left than the heaviest stage, so
/// the largest load is at most (all work + nodes × heaviest stage) / all threads: with equal nodes the heaviest stage
/// above the mean, below which nothing can be. Last, an idle node takes a part from the most loaded where that lowers the
/// largest load, or from a replica that is cut anyway. Each node has at most one run of a replica.
/// </para>
/// <para>
/// With a placement before it, as much as can be stays: the fresh placement only says how large a load may be and how many
/// replicas may be cut. A replica made whole again is worth a move: it moves once, a crossing is paid in every step. So is a
/// whole replica whose node has more than another one would with it: placements are compared by all their loads, the largest
/// first, so a node that comes back takes its share also where the largest load stays what it is.
/// </para>
/// </summary>
public sealed record Placement
{
    private readonly ImmutableArray<string> _nodeOf;

    /// <summary>Writes down a placement that was chosen before.</summary>
    /// <param name="replicas">≥ 1.</param>
    /// <param name="stages">≥ 1.</param>
    /// <param name="nodeOf">The node of each (replica, stage), from 0.</param>
    /// <exception cref="ArgumentException">There is no replica or stage.</exception>
    public Placement(int replicas, int stages, Func<int, int, string> nodeOf)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(stages, 1);
        ArgumentNullException.ThrowIfNull(nodeOf);
        Replicas = replicas;
        Stages = stages;
        _nodeOf = [.. from replica in Enumerable.Range(0, replicas)
                      from stage in Enumerable.Range(0, stages)
                      select nodeOf(replica, stage)];
        Nodes = [.. _nodeOf.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>Replicas, ≥ 1.</summary>
    public int Replicas { get; }

    /// <summary>Stages of a replica, ≥ 1.</summary>
    public int Stages { get; }

    /// <summary>The nodes that have something, by name.</summary>
    public ImmutableArray<string> Nodes { get; }

    /// <summary>The node of a stage of a replica.</summary>
    /// <param name="replica">From 0.</param>
    /// <param name="stage">0 is the one nearest the input.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such replica or stage.</exception>
    public string this[int replica, int stage]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(replica);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(replica, Replicas);
            ArgumentOutOfRangeException.ThrowIfNegative(stage);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(stage, Stages);
            return _nodeOf[(replica * Stages) + stage];
        }
    }

    /// <summary>Chooses a placement: a function of its arguments, not of the order of <paramref name="nodes"/>.</summary>
    /// <param name="stageWork">The work of each stage for an example, ≥ 0, in any unit; times replicas at most 2^63 − 1.</param>
    /// <param name="replicas">≥ 1.</param>
    /// <param name="nodes">Where stages may be put: at least one, each with a name of its own.</param>
    /// <param name="previous">Where they were, of the same replicas and stages; nodes that are no more are simply not among
    /// <paramref name="nodes"/>. Null: nowhere.</param>
    /// <exception cref="ArgumentException">An argument is outside its range; the message names it.</exception>
    public static Placement Of(
        IReadOnlyList<long> stageWork, int replicas, IReadOnlyList<PlacementNode> nodes, Placement? previous = null)
    {
        var demand = new PlacementDemand(stageWork, replicas, nodes);
        if (previous is not null && (previous.Replicas != replicas || previous.Stages != demand.Stages))
        {
            throw new ArgumentException(
                $"The placement before has {previous.Replicas} replicas of {previous.Stages} stages, this one {replicas} of "
                + $"{demand.Stages}.",
                nameof(previous));
        }

        var arrangement = previous is null ? FreshPlacement.Of(demand) : KeptPlacement.Of(demand, previous);
        return new Placement(replicas, demand.Stages, (replica, stage) => demand.Nodes[arrangement[replica][stage]].Name);
    }

    /// <summary>The replicas whose stage is on a node, ascending.</summary>
    /// <param name="node">A node's name; one that has nothing gives nothing.</param>
    /// <param name="stage">The stage.</param>
    public IEnumerable<int> ReplicasOn(string node, int stage) =>
        Enumerable.Range(0, Replicas).Where(replica => string.Equals(this[replica, stage], node, StringComparison.Ordinal));

    /// <inheritdoc/>
    public bool Equals(Placement? other) =>
        other is not null && Stages == other.Stages && _nodeOf.AsSpan().SequenceEqual(other._nodeOf.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Stages);
        foreach (var node in _nodeOf)
        {
            hash.Add(node, StringComparer.Ordinal);
        }

        return hash.ToHashCode();
    }

    /// <summary>For people: <c>node-1: replicas 0–1; node-2: replica 2 stages 0–1; node-3: replica 2 stage 2</c>.</summary>
    public override string ToString() => string.Join("; ", Nodes.Select(node => $"{node}: {string.Join(", ", PartsOn(node))}"));

    private IEnumerable<string> PartsOn(string node)
    {
        for (int replica = 0, next; replica < Replicas; replica = next)
        {
            next = replica + 1;
            var stages = Enumerable.Range(0, Stages).Where(stage => this[replica, stage] == node).ToImmutableArray();
            if (stages.Length == Stages)
            {
                while (next < Replicas && Enumerable.Range(0, Stages).All(stage => this[next, stage] == node))
                {
                    next++;
                }

                yield return Span("replica", replica, next - 1);
            }
            else if (stages.Length > 0)
            {
                var isRun = stages[^1] - stages[0] == stages.Length - 1;
                yield return $"replica {replica} "
                    + (isRun ? Span("stage", stages[0], stages[^1]) : $"stages {string.Join(", ", stages)}");
            }
        }
    }

    private static string Span(string noun, int first, int last) => first == last ? $"{noun} {first}" : $"{noun}s {first}–{last}";
}
