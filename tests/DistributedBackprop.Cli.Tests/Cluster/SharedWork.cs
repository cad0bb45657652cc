using System.Collections.Immutable;
using System.Globalization;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Cli.Output;
using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Pipeline;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>What the statistics of a run must say where it truly ran on several processes.</summary>
/// <param name="run">The job.</param>
/// <param name="placement">Where it ran.</param>
/// <param name="generation">The statistics of its one generation.</param>
internal sealed class SharedWork(JobRun run, Placement placement, GenerationStatistics generation)
{
    private bool IsOfGradients => run.Job.Parallelism.Averaging is GradientAveraging;

    /// <summary>Each process had stages of its own, and all of them computed.</summary>
    public void ShouldBeDoneBy(int[] processes)
    {
        generation.Nodes.Select(node => node.ProcessId).ShouldBe(processes, ignoreOrder: true);
        processes.Append(Environment.ProcessId).ShouldBeUnique();
        foreach (var node in generation.Nodes)
        {
            var stages = node.Stages.Select(stage => (stage.Replica, stage.Stage)).ToList();
            stages.ShouldNotBeEmpty();
            stages.ShouldAllBe(at => placement[at.Replica, at.Stage] == node.Node);
            node.Stages.Sum(stage => stage.BusySeconds).ShouldBeGreaterThan(0, node.Node);
        }

        generation.Nodes.Sum(node => node.Stages.Length).ShouldBe(placement.Replicas * placement.Stages);
    }

    /// <summary>
    /// Nodes with replicas of one stage averaged with each other, and no others; neighbours in a pipeline sent each other
    /// activations and deltas.
    /// </summary>
    public void ShouldHaveCrossedLinks()
    {
        foreach (var from in placement.Nodes)
        {
            foreach (var to in placement.Nodes.Where(to => to != from))
            {
                var link = Link(from, to);
                ((link?.Averaging ?? 0) > 0).ShouldBe(SharesStage(from, to), $"averaging from {from} to {to}");
                if (IsBefore(from, to))
                {
                    link!.Activations.ShouldBeGreaterThan(0, $"activations from {from} to {to}");
                    Link(to, from)!.Deltas.ShouldBeGreaterThan(0, $"deltas from {to} to {from}");
                }
            }
        }

        Statistics.AveragingBytes.ShouldBe(generation.Nodes.Sum(node => node.Links.Sum(link => link.Averaging)));
    }

    /// <summary>
    /// Bytes of averaging are counted exactly: in each round every replica sends its share of the parts of replicas on other
    /// nodes, and each part, once it is done, goes to every other node.
    /// </summary>
    public void ShouldHaveCountedItsAveraging()
    {
        var steps = run.Plan.TotalSteps;
        var rounds = run.Job.Parallelism.Averaging is ParameterAveraging { Every: var every } ? ((steps - 1) / every) + 1 : steps;
        var bytes = run.Graph.Nodes.Sum(node => BytesOfRound(node.Layer, Stages()[node.Index]));
        Statistics.AveragingRounds.ShouldBe(placement.Replicas > 1 ? rounds : 0);
        Statistics.AveragingBytes.ShouldBe(rounds * bytes);
        if (placement.Replicas > 1)
        {
            var told = string.Create(CultureInfo.InvariantCulture, $"averaging: {rounds:N0} rounds, {bytes:N0} bytes between nodes and ");
            StatisticsTable.LinesOf(Statistics).ShouldContain(line => line.StartsWith(told, StringComparison.Ordinal));
        }
    }

    /// <summary>Gradients of late layers were averaged while deltas still went to early ones.</summary>
    public void ShouldHaveOverlapped()
    {
        if (IsOfGradients && Statistics.AveragingBytes > 0)
        {
            generation.Nodes.Sum(node => node.Overlaps).ShouldBeGreaterThan(0);
        }
    }

    /// <summary>Stages of a pipeline tell how long they were idle, beside what the schedule alone costs.</summary>
    public void ShouldTellItsBubble()
    {
        var (stages, microBatches) = (placement.Stages, run.Job.Training.MicroBatches);
        Statistics.BubbleOfSchedule.ShouldBe((stages - 1.0) / (microBatches + stages - 1.0), 1e-12);
        if (stages > 1)
        {
            Statistics.Bubble.ShouldNotBeNull().ShouldBeInRange(0, 1);
            Statistics.LastBubble.ShouldNotBeNull().ShouldBeInRange(0, 1);
            var told = string.Create(
                CultureInfo.InvariantCulture, $" % of the last), {Statistics.BubbleOfSchedule:P1} by the schedule, (p−1)/(m+p−1)");
            StatisticsTable.LinesOf(Statistics).ShouldContain(line =>
                line.StartsWith("bubble: ", StringComparison.Ordinal) && line.EndsWith(told, StringComparison.Ordinal));
        }
    }

    private ImmutableArray<int> Stages() =>
        StageCut.Of([.. run.Graph.Nodes.Select(node => node.Layer.WorkPerExample)], placement.Stages);

    private long BytesOfRound(Layer layer, int stage)
    {
        var parts = new LayerParts(layer, placement.Replicas);
        var nodes = Enumerable.Range(0, placement.Replicas).Select(replica => placement[replica, stage]).ToList();
        return Enumerable.Range(0, placement.Replicas).Sum(owner =>
            (long)sizeof(float) * parts.Of(owner).Length
            * (nodes.Count(node => node != nodes[owner]) + nodes.Distinct().Count() - 1));
    }

    private RunStatistics Statistics => new(
        new RunDescription(run.Job, run.Graph, run.Data, new StepPlan(run.Job.Training, run.Data.Train.Count), [], 1, null),
        [generation]);

    private LinkStatistics? Link(string from, string to) =>
        generation.Nodes.Single(node => node.Node == from).Links.SingleOrDefault(link => link.To == to);

    private bool SharesStage(string one, string other) => Enumerable.Range(0, placement.Stages).Any(stage =>
    {
        var nodes = Enumerable.Range(0, placement.Replicas).Select(replica => placement[replica, stage]).ToList();
        return nodes.Contains(one) && nodes.Contains(other);
    });

    private bool IsBefore(string one, string other) => Enumerable.Range(0, placement.Replicas).Any(replica =>
        Enumerable.Range(1, placement.Stages - 1).Any(stage =>
            placement[replica, stage - 1] == one && placement[replica, stage] == other));
}
