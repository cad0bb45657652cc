using System.Diagnostics;
using DistributedBackprop.Simulation;
using DistributedBackprop.Simulation.Clusters;

namespace DistributedBackprop.Benchmarks;

/// <summary>What one run of a simulated cluster took.</summary>
/// <param name="SetUp">Seconds until the first step was told.</param>
/// <param name="Seconds">Seconds from there to the end; all that follows is of this time.</param>
/// <param name="Messages">Messages that actors have handled.</param>
/// <param name="Crossings">Control messages and frames that went from node to node.</param>
/// <param name="Turns">Turns of actors, and timers: a crossing takes several.</param>
/// <param name="Bytes">Bytes allocated.</param>
/// <param name="Collecting">Seconds in which garbage was collected.</param>
/// <param name="Weights">The hash of the final weights.</param>
internal sealed record SimulationCost(
    double SetUp, double Seconds, long Messages, long Crossings, long Turns, long Bytes, double Collecting, string Weights)
{
    /// <summary>Runs a job.</summary>
    public static SimulationCost Of(SimulatedJob job, int nodes)
    {
        // What another run has left is not this one's to clear away.
        GC.Collect();
        var begun = Stopwatch.GetTimestamp();
        using var cluster = new SimulatedCluster(1, job, nodes);
        cluster.RunUntilStep(1);
        var setUp = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var loop = cluster.Loop;
        var (messages, crossings, turns) = (loop.MessageCount, cluster.Messages, loop.StepCount);
        var (bytes, collecting) = (GC.GetTotalAllocatedBytes(), GC.GetTotalPauseDuration());
        begun = Stopwatch.GetTimestamp();
        cluster.RunToEnd();
        return new SimulationCost(
            setUp,
            Stopwatch.GetElapsedTime(begun).TotalSeconds,
            loop.MessageCount - messages,
            cluster.Messages - crossings,
            loop.StepCount - turns,
            GC.GetTotalAllocatedBytes() - bytes,
            (GC.GetTotalPauseDuration() - collecting).TotalSeconds,
            cluster.WeightsSha256!);
    }

    /// <summary>Runs a job, and takes the time of each message behind which another one followed at once.</summary>
    public static Dictionary<string, (double Seconds, long Count)> ByKind(SimulatedJob job, int nodes)
    {
        using var cluster = new SimulatedCluster(1, job, nodes);
        cluster.RunUntilStep(1);
        var kinds = new Dictionary<string, (double Seconds, long Count)>(StringComparer.Ordinal);
        var (kind, turn, begun) = ("", 0L, 0L);
        cluster.Loop.MessageHandled = sent =>
        {
            var now = Stopwatch.GetTimestamp();
            if (cluster.Loop.StepCount == turn + 1 && kind.Length > 0)
            {
                var (seconds, count) = kinds.GetValueOrDefault(kind);
                kinds[kind] = (seconds + Stopwatch.GetElapsedTime(begun, now).TotalSeconds, count + 1);
            }

            (kind, turn, begun) = (KindOf(sent), cluster.Loop.StepCount, Stopwatch.GetTimestamp());
        };
        cluster.RunToEnd();
        return kinds;
    }

    // What a link is told it sends on; a layer computes with it.
    private static string KindOf(SentMessage sent) =>
        sent.Receiver.AsSpan(sent.Receiver.LastIndexOf('/') + 1).StartsWith("link-", StringComparison.Ordinal)
            ? $"{sent.Message.GetType().Name} (link)"
            : sent.Message.GetType().Name;
}
