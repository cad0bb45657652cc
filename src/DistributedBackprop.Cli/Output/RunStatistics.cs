using System.Collections.Immutable;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Cli.Output;

/// <summary>What a run cost: where it computed, what it sent, how long stages were idle.</summary>
/// <param name="Run">What was trained.</param>
/// <param name="Generations">What its generations did.</param>
internal sealed record RunStatistics(RunDescription Run, ImmutableArray<GenerationStatistics> Generations)
{
    /// <summary>Every node of every generation.</summary>
    public IEnumerable<NodeStatistics> Nodes => Generations.SelectMany(generation => generation.Nodes);

    /// <summary>Bytes that layers sent to peers on other nodes.</summary>
    public long AveragingBytes => Nodes.Sum(node => node.AveragingBytes);

    /// <summary>Averagings: steps, or rounds of parameter averaging.</summary>
    public long AveragingRounds => Generations.Sum(generation =>
        generation.Nodes.Select(node => node.AveragingRounds).DefaultIfEmpty().Max());

    /// <summary>Time of the averagings, of the slowest node in each generation.</summary>
    public double AveragingSeconds => Generations.Sum(generation =>
        generation.Nodes.Select(node => node.AveragingSeconds).DefaultIfEmpty().Max());

    /// <summary>The mean idle share of a stage in a step; null where none was measured.</summary>
    public double? Bubble
    {
        get
        {
            var stages = Nodes.SelectMany(node => node.Stages).Where(stage => stage.BubbleSteps > 0).ToList();
            return stages.Count == 0
                ? null
                : stages.Sum(stage => stage.Bubble * stage.BubbleSteps) / stages.Sum(stage => stage.BubbleSteps);
        }
    }

    /// <summary>The mean idle share of a stage in the last step that was measured; null where none was.</summary>
    public double? LastBubble => Generations
        .Select(generation => generation.Nodes.SelectMany(node => node.Stages).Where(stage => stage.BubbleSteps > 0).ToList())
        .LastOrDefault(stages => stages.Count > 0)?
        .Average(stage => stage.LastBubble);

    /// <summary>What the schedule alone costs: (p − 1)/(m + p − 1).</summary>
    public double BubbleOfSchedule =>
        Training.Pipeline.Bubble.Of(Run.Job.Parallelism.Stages, Run.Job.Training.MicroBatches);
}
