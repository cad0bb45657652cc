using System.Runtime.InteropServices;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Training.Jobs;
using Activation = DistributedBackprop.Actors.Pipeline.Activation;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>A mistake that the program could have, and what it does to what passes between actors, hosts and the disk.</summary>
/// <param name="Name">The mistake.</param>
/// <param name="Install">Puts it into a cluster.</param>
/// <param name="NeedsThreeReplicas">Whether it shows only where three replicas are summed.</param>
public sealed record KnownBug(string Name, Action<SimulatedCluster> Install, bool NeedsThreeReplicas = false);

/// <summary>
/// Mistakes that the simulation must find. They are made from outside, by altering messages, frames and writes: so there is
/// no switch for them in the program.
/// </summary>
public static class KnownBugs
{
    /// <summary>All that seeds find.</summary>
    public static IReadOnlyList<KnownBug> All { get; } =
    [
        new("the generation of a frame is not checked", SkipGenerationOfFrames),
        new("contributions are summed in the order of arrival", SumByArrival, NeedsThreeReplicas: true),
        new("the optimizer's state is forgotten in a new generation", cluster => Frames(cluster, (frame, _) =>
            frame is { To: not SimulatedCluster.Coordinator, Header: { Kind: FrameKind.State, MicroBatch: > 0 } } ? Zero(frame) : frame)),
        new("a vector of the state is not restored", cluster => Frames(cluster, (frame, _) =>
            frame is { To: not SimulatedCluster.Coordinator, Header: { Kind: FrameKind.State, MicroBatch: 0, Edge: 0 } } ? Zero(frame) : frame)),
        new("a checkpoint keeps an older vector", KeepOldState),
        new("the sums of the epoch's metrics are forgotten", cluster => Messages<CommitCheckpoint>(cluster, commit =>
            [commit with { Progress = commit.Progress with { EpochLossSum = 0, EpochExamples = 0 } }])),
        new("the step to go on from is one too low", cluster => Messages<PrepareGeneration>(cluster, prepare =>
            [prepare.AfterStep > 0 ? prepare with { AfterStep = prepare.AfterStep - 1 } : prepare])),
        new("the step to go on from is one too high", cluster => Messages<PrepareGeneration>(cluster, prepare =>
            [prepare.AfterStep > 0 ? prepare with { AfterStep = prepare.AfterStep + 1 } : prepare])),
        new("the last micro-batch is lost", cluster => Messages<Delta>(cluster, delta =>
        {
            if (delta.Key.Index == 2)
            {
                delta.Value.Floats.Clear();
            }

            return [delta];
        })),
        new("dropout is keyed by the place in the slice", cluster => Messages<Activation>(cluster, activation =>
            [activation with { FirstPosition = activation.FirstPosition % 7 }])),
        new("a dead node's reference is kept", KeepDeadNodes),
        new("pieces of a checkpoint are not checked when they are read", cluster => Messages<StateLoaded>(cluster, loaded =>
        {
            loaded.State[loaded.State.Layout.Vectors.First()].Bytes.Span[0] ^= 1;
            return [loaded];
        })),
        new("a checkpoint is committed with a piece missing, and the one before removed", cluster =>
        {
            var count = 0;
            cluster.Disk.PieceInterceptor = content => ++count % 4 == 0 ? null : content;
            Messages<StateDamaged>(cluster, damaged => [new StoreFailed(
                new LoadState(damaged.JobId, damaged.Manifest, cluster.Job.StateLayout), damaged.Reason)]);
        }),
        new("steps are granted past an epoch that is not decided", cluster => Messages<Grant>(cluster, grant =>
            [grant with { UpToStep = Math.Min(cluster.Job.Steps, grant.UpToStep + 4) }])),
        new("an event is acknowledged before it is durable", cluster =>
        {
            var count = 0;
            cluster.Disk.EventInterceptor = _ => ++count % 3 != 0;
        }),
        new("an epoch's decision is not kept", cluster => cluster.Disk.EventInterceptor = kept => kept is not EpochDecided),
        new("a report told again is counted again", CountReportsTwice),
        new("the sum of an earlier step is sent on", SendOldAverages),
        new("a contribution is counted twice", cluster => Frames(cluster, (frame, _) =>
            frame.Header.Kind == FrameKind.Contribution && frame.Header.Step == 7 ? Double(frame) : frame), NeedsThreeReplicas: true),
        new("a tensor is shared and never given up", cluster => Messages<Activation>(cluster, activation =>
        {
            _ = activation.Value.Share();
            return [activation];
        })),
        new("nodes are not told that a generation is over", cluster => Messages<ReleaseGeneration>(cluster, _ => [])),
        new("state is never taken in", cluster => Frames(cluster, (frame, _) => frame.Header.Kind == FrameKind.State ? null : frame)),
        new("a step is told twice", cluster => Messages<JobEvent>(cluster, told =>
            told.Event is StepDone { Step: 9 } ? [told, told] : [told])),
        new("an event is not told", cluster => Messages<JobEvent>(cluster, told => told.Event is StepDone { Step: 11 } ? [] : [told])),
        new("an epoch is told before its evaluation is done", cluster => Messages<JobEvent>(cluster, told =>
            [told.Event is EpochDone epoch ? new JobEvent(epoch with { TestLoss = null }) : told])),
        new("what a replica of another slice judged counts for this one", cluster => Messages<StepsJudged>(cluster, judged =>
            [judged with { Replica = 0 }, judged with { Replica = 1 }])),
    ];

    /// <summary>
    /// It shows only where the coordinator dies within that moment: some eight hundred seeds go by before one does, and a sweep
    /// that kills it everywhere finds it at once.
    /// </summary>
    public static KnownBug KeptBehind { get; } =
        new("an event is kept a moment after it was acknowledged", cluster => cluster.Disk.KeepsBehind = KeepSoon);

    private static void Messages<T>(SimulatedCluster cluster, Func<T, IReadOnlyList<object>> alter)
    {
        var before = cluster.Loop.Interceptor;
        cluster.Loop.Interceptor = sent => sent.Message is T message ? alter(message) : before?.Invoke(sent);
    }

    private static void Frames(SimulatedCluster cluster, Func<ArrivingFrame, SimulatedCluster, ArrivingFrame?> alter) =>
        cluster.FrameInterceptor = frame => alter(frame, cluster);

    private static ArrivingFrame Zero(ArrivingFrame frame) => frame with { Payload = new byte[frame.Payload.Length] };

    private static ArrivingFrame Double(ArrivingFrame frame)
    {
        var payload = (byte[])frame.Payload.Clone();
        foreach (ref var value in MemoryMarshal.Cast<byte, float>(payload.AsSpan()))
        {
            value *= 2;
        }

        return frame with { Payload = payload };
    }

    private static void SkipGenerationOfFrames(SimulatedCluster cluster)
    {
        var newest = 0L;
        cluster.Loop.Interceptor = sent =>
        {
            newest = sent.Message is PrepareGeneration prepare ? Math.Max(newest, prepare.Generation) : newest;
            return null;
        };
        Frames(cluster, (frame, _) => frame.Header.Generation < newest && frame.Header.Kind != FrameKind.State
            ? frame with { Header = frame.Header with { Generation = newest } }
            : frame);
    }

    private static void SumByArrival(SimulatedCluster cluster)
    {
        // Who sends what to whom is learnt in the first generation; from then on the first to come is taken for the lowest.
        var senders = new Dictionary<(string, int, int, int), SortedSet<int>>();
        var come = new Dictionary<(string, long, long, int, int, int), int>();
        Frames(cluster, (frame, _) =>
        {
            var header = frame.Header;
            if (header.Kind != FrameKind.Contribution)
            {
                return frame;
            }

            var key = (frame.To, header.Edge, header.MicroBatch, header.FirstPosition);
            senders.TryAdd(key, []);
            senders[key].Add(header.Replica);
            if (senders[key].Count < 2 || header.Step < 3)
            {
                return frame;
            }

            var arrival = (frame.To, header.Generation, header.Step, header.Edge, header.MicroBatch, header.FirstPosition);
            come[arrival] = come.GetValueOrDefault(arrival) + 1;
            return come[arrival] <= senders[key].Count
                ? frame with { Header = header with { Replica = senders[key].ElementAt(come[arrival] - 1) } }
                : frame;
        });
    }

    private static void KeepOldState(SimulatedCluster cluster)
    {
        var old = new Dictionary<(int, int, int, int), byte[]>();
        Frames(cluster, (frame, _) =>
        {
            var header = frame.Header;
            if (frame.To != SimulatedCluster.Coordinator || header.Kind != FrameKind.State || header.Edge != 0)
            {
                return frame;
            }

            var key = (header.Edge, header.Replica, header.MicroBatch, header.FirstPosition);
            var was = old.GetValueOrDefault(key);
            old[key] = frame.Payload;
            return was is null || was.Length != frame.Payload.Length || header.Step >= cluster.Job.Steps ? frame : frame with { Payload = was };
        });
    }

    private static void SendOldAverages(SimulatedCluster cluster)
    {
        var old = new Dictionary<(string, int, int, int, int), byte[]>();
        Frames(cluster, (frame, _) =>
        {
            var header = frame.Header;
            if (header.Kind != FrameKind.Average)
            {
                return frame;
            }

            var key = (frame.To, header.Edge, header.Replica, header.MicroBatch, header.FirstPosition);
            var was = old.GetValueOrDefault(key);
            old[key] = frame.Payload;
            return was is not null && header.Step == 6 ? frame with { Payload = was } : frame;
        });
    }

    // What a job ends with is kept first: nothing runs on behind it, so that it would be lost where nobody dies.
    private static void KeepSoon(SimulatedNode node, object written, Action keep)
    {
        if (written is JobCompleted)
        {
            keep();
        }
        else
        {
            node.After(TimeSpan.FromMilliseconds(1), keep);
        }
    }

    private static void KeepDeadNodes(SimulatedCluster cluster)
    {
        var known = new SortedDictionary<string, NodeInfo>(StringComparer.Ordinal);
        Messages<NodesChanged>(cluster, changed =>
        {
            foreach (var node in changed.Nodes)
            {
                known.TryAdd(node.Name, node);
            }

            return [new NodesChanged([.. known.Values])];
        });
    }

    private static void CountReportsTwice(SimulatedCluster cluster)
    {
        var told = new Dictionary<(long, int, long), double>();
        Messages<StepsJudged>(cluster, judged => [judged with
        {
            Steps =
            [
                .. judged.Steps.Select(step =>
                {
                    var key = (judged.Generation, judged.Replica, step.Step);
                    told[key] = told.GetValueOrDefault(key) + step.LossSum;
                    return step with { LossSum = told[key] };
                }),
            ],
        }]);
    }
}
