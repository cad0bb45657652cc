using System.Collections.Immutable;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Pipeline;

/// <summary>
/// The order of each stage's forwards and backwards in one step, as data. Layers obey it, the dry run proves it, the
/// grid shows it; nothing else knows what a schedule is.
/// </summary>
public sealed class Schedule
{
    private readonly ImmutableArray<ImmutableArray<StageOperation>> _stages;

    private Schedule(ScheduleKind kind, int microBatches, ImmutableArray<ImmutableArray<StageOperation>> stages)
    {
        Kind = kind;
        MicroBatches = microBatches;
        _stages = stages;
    }

    /// <summary>Which schedule it is.</summary>
    public ScheduleKind Kind { get; }

    /// <summary>Stages, ≥ 1.</summary>
    public int Stages => _stages.Length;

    /// <summary>Micro-batches of one replica's step, ≥ 1.</summary>
    public int MicroBatches { get; }

    /// <summary>What a stage does in a step, in order.</summary>
    /// <param name="stage">0 is the one nearest the input.</param>
    public ImmutableArray<StageOperation> this[int stage] => _stages[stage];

    /// <summary>Writes a schedule down.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="stages">≥ 1.</param>
    /// <param name="microBatches">≥ 1.</param>
    public static Schedule Of(ScheduleKind kind, int stages, int microBatches)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stages, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(microBatches, 1);
        return new Schedule(
            kind,
            microBatches,
            [.. Enumerable.Range(0, stages).Select(stage => Order(Ahead(kind, stage, stages, microBatches), microBatches))]);
    }

    /// <summary>
    /// The most micro-batches whose activations a stage holds at once: all in GPipe; in 1F1B as many as there are stages
    /// from it to the loss.
    /// </summary>
    public static int Ahead(ScheduleKind kind, int stage, int stages, int microBatches) => kind switch
    {
        ScheduleKind.GPipe => microBatches,
        ScheduleKind.OneForwardOneBackward => Math.Min(stages - stage, microBatches),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown schedule."),
    };

    // Both schedules are one rule: go forward until so many are in flight, then backward and forward in turn.
    private static ImmutableArray<StageOperation> Order(int ahead, int microBatches)
    {
        var order = ImmutableArray.CreateBuilder<StageOperation>(2 * microBatches);
        for (var forward = 0; forward < ahead; forward++)
        {
            order.Add(new StageOperation(true, forward));
        }

        for (var backward = 0; backward < microBatches; backward++)
        {
            order.Add(new StageOperation(false, backward));
            if (backward + ahead < microBatches)
            {
                order.Add(new StageOperation(true, backward + ahead));
            }
        }

        return order.ToImmutable();
    }
}
