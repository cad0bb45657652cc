using System.Collections.Immutable;

namespace DistributedBackprop.Training.Jobs;

/// <summary>What is to be placed, and where it may go: equal replicas, and nodes in the order of their names.</summary>
internal sealed class PlacementDemand
{
    private readonly ImmutableArray<long> _before;

    /// <inheritdoc cref="Placement.Of" path="/exception"/>
    public PlacementDemand(IReadOnlyList<long> stageWork, int replicas, IReadOnlyList<PlacementNode> nodes)
    {
        CheckNodes(nodes);
        if (replicas < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(replicas), replicas, "A job has at least one replica.");
        }

        Nodes = [.. nodes.OrderBy(node => node.Name, StringComparer.Ordinal)];
        Replicas = replicas;
        _before = Sums(stageWork, replicas);
        Heaviest = Enumerable.Range(0, Stages).Max(stage => WorkOf(stage, stage + 1));
        AllThreads = Nodes.Sum(node => (long)node.Threads);
    }

    public ImmutableArray<PlacementNode> Nodes { get; }

    public int Replicas { get; }

    public int Stages => _before.Length - 1;

    /// <summary>The work of the heaviest stage.</summary>
    public long Heaviest { get; }

    /// <summary>The work of a whole replica, ≥ 1.</summary>
    public long ReplicaWork => _before[^1];

    /// <summary>The work of all replicas.</summary>
    public long AllWork => ReplicaWork * Replicas;

    /// <summary>The threads of all nodes.</summary>
    public long AllThreads { get; }

    /// <summary>The work of the stages from <paramref name="first"/> to before <paramref name="end"/>.</summary>
    public long WorkOf(int first, int end) => _before[end] - _before[first];

    /// <summary>Where the longest run from <paramref name="first"/> ends whose work is within <paramref name="room"/>.</summary>
    public int Reach(int first, long room)
    {
        var end = first;
        while (end < Stages && WorkOf(first, end + 1) <= room)
        {
            end++;
        }

        return end;
    }

    private static ImmutableArray<long> Sums(IReadOnlyList<long> stageWork, int replicas)
    {
        ArgumentNullException.ThrowIfNull(stageWork);
        if (stageWork.Count == 0)
        {
            throw new ArgumentException("A replica has at least one stage.", nameof(stageWork));
        }

        // Where nothing costs anything, all stages count alike.
        var isFree = stageWork.All(work => work == 0);
        var sums = ImmutableArray.CreateBuilder<long>(stageWork.Count + 1);
        sums.Add(0);
        Int128 sum = 0;
        for (var stage = 0; stage < stageWork.Count; stage++)
        {
            if (stageWork[stage] < 0)
            {
                throw new ArgumentException(
                    $"The work of stage {stage} must be at least 0 (was {stageWork[stage]}).", nameof(stageWork));
            }

            sum += isFree ? 1 : stageWork[stage];
            if (sum * replicas > long.MaxValue)
            {
                throw new ArgumentException(
                    $"The work of {replicas} replicas up to stage {stage} must be at most {long.MaxValue} units.", nameof(stageWork));
            }

            sums.Add((long)sum);
        }

        return sums.ToImmutable();
    }

    private static void CheckNodes(IReadOnlyList<PlacementNode> nodes)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        if (nodes.Count == 0)
        {
            throw new ArgumentException("There is no node to put stages on.", nameof(nodes));
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            if (string.IsNullOrEmpty(node.Name))
            {
                throw new ArgumentException("A node must have a name.", nameof(nodes));
            }

            if (node.Threads < 1)
            {
                throw new ArgumentException($"Node {node.Name} must have at least 1 thread (was {node.Threads}).", nameof(nodes));
            }

            if (!names.Add(node.Name))
            {
                throw new ArgumentException($"Two nodes are named {node.Name}: names must differ.", nameof(nodes));
            }
        }
    }
}
