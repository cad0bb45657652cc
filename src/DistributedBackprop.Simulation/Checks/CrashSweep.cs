using System.Collections.Immutable;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>
/// Kills each process of a cluster before and after each message that one of its actors takes, and so before and after each
/// write: one point a run, all runs the same up to their point.
/// </summary>
public sealed class CrashSweep
{
    private readonly SimulatedJob _job;
    private readonly Expectation _expected;
    private readonly int _nodes;
    private readonly ulong _seed;
    private readonly Action<SimulatedCluster>? _prepare;

    /// <summary>Finds the points, by a run in which nobody dies.</summary>
    /// <param name="job">The job.</param>
    /// <param name="nodes">How many nodes there are, ≥ 1.</param>
    /// <param name="seed">Chooses the order of everything.</param>
    /// <param name="prepare">Called with the cluster of each run before it begins, to change what passes. Default: null.</param>
    /// <exception cref="SimulationException">The job does not complete even so.</exception>
    public CrashSweep(SimulatedJob job, int nodes = 2, ulong seed = 1, Action<SimulatedCluster>? prepare = null)
    {
        (_job, _nodes, _seed, _prepare) = (job, nodes, seed, prepare);
        _expected = Expectation.Of(job);
        var points = ImmutableArray.CreateBuilder<CrashPoint>();
        var run = Simulation(cluster => Note(cluster, points)).Run(seed);
        Points = run.IsRight ? points.ToImmutable() : throw new SimulationException(
            $"Where nobody dies the job does not end as it must: {run.Problems[0]}");
    }

    /// <summary>All points, in the order of time.</summary>
    public ImmutableArray<CrashPoint> Points { get; }

    /// <summary>The hash that every run must end with.</summary>
    public string WeightsSha256 => _expected.WeightsSha256;

    /// <summary>A run in which a process dies at a point; it is started again after a while.</summary>
    public SimulatedRun Run(CrashPoint point)
    {
        ArgumentNullException.ThrowIfNull(point);
        var died = false;
        var run = Simulation(cluster => cluster.Loop.TurnTaken = (node, path, turn, isBefore) =>
        {
            if (turn == point.Turn && isBefore == point.IsBefore)
            {
                died = node.Name == point.Host && path == point.Actor;
                cluster.Kill(node.Name);
            }
        }).Run(_seed);
        return died ? run : run with { Problems = run.Problems.Add($"{point} was not reached: the run is not the one in which it was found") };
    }

    // Until the job is over: what follows is the end of the cluster.
    private static void Note(SimulatedCluster cluster, ImmutableArray<CrashPoint>.Builder points)
    {
        string? message = null;
        long writes = 0;
        cluster.Loop.MessageHandled += sent => message = sent.Message.GetType().Name;
        cluster.Loop.TurnTaken = (node, path, turn, isBefore) =>
        {
            if (isBefore)
            {
                (message, writes) = (null, cluster.Disk.Writes);
            }
            else if (message is not null && cluster.Course.Outcome is null)
            {
                var hasWritten = cluster.Disk.Writes > writes;
                points.Add(new CrashPoint(turn, true, node.Name, path, message, hasWritten));
                points.Add(new CrashPoint(turn, false, node.Name, path, message, hasWritten));
            }
        };
    }

    // What every run has in common first: a mistake that is tried is there before anybody looks or dies.
    private ClusterSimulation Simulation(Action<SimulatedCluster> prepare) =>
        new(_job, Scenario.None, _nodes, _expected) { TracesContent = false, Prepare = _prepare + prepare };
}
