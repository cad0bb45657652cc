using System.Collections.Immutable;
using System.Text;

namespace DistributedBackprop.Training.Pipeline;

/// <summary>
/// Runs a schedule without a network, one unit of time an operation: proves that no stage waits for ever, that backwards
/// ascend, and tells how many micro-batches each stage holds at most. A stage's forward waits for the stage before it, a
/// backward for the stage after; a graph that skips stages waits for no more than that.
/// </summary>
public sealed class DryRun
{
    private readonly ImmutableArray<ImmutableArray<StageOperation?>> _grid;

    private DryRun(ImmutableArray<ImmutableArray<StageOperation?>> grid, ImmutableArray<int> peak)
    {
        _grid = grid;
        PeakInFlight = peak;
    }

    /// <summary>The most micro-batches that each stage held between their forward and their backward.</summary>
    public ImmutableArray<int> PeakInFlight { get; }

    /// <summary>Units of time until the last stage is done.</summary>
    public int Length => _grid[0].Length;

    /// <summary>Runs the schedule.</summary>
    /// <exception cref="InvalidOperationException">
    /// It stops short, or goes backward out of order; the message shows the grid with the place marked.
    /// </exception>
    public static DryRun Of(Schedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return Of([.. Enumerable.Range(0, schedule.Stages).Select(stage => schedule[stage])]);
    }

    /// <summary>Runs any orders, one a stage.</summary>
    /// <inheritdoc cref="Of(Schedule)" path="/exception"/>
    public static DryRun Of(ImmutableArray<ImmutableArray<StageOperation>> stages)
    {
        var done = stages.Select(_ => new HashSet<StageOperation>()).ToArray();
        var next = new int[stages.Length];
        var inFlight = new int[stages.Length];
        var peak = new int[stages.Length];
        var grid = stages.Select(_ => new List<StageOperation?>()).ToArray();
        while (Enumerable.Range(0, stages.Length).Any(stage => next[stage] < stages[stage].Length))
        {
            // What is ready is decided before anybody moves: a result of this unit of time is there in the next.
            var moves = Enumerable.Range(0, stages.Length).Select(stage => Ready(stages, done, next, stage)).ToArray();
            for (var stage = 0; stage < stages.Length; stage++)
            {
                grid[stage].Add(moves[stage]);
                if (moves[stage] is { } operation)
                {
                    CheckOrder(grid, done[stage], stage, operation);
                    done[stage].Add(operation);
                    next[stage]++;
                    inFlight[stage] += operation.IsForward ? 1 : -1;
                    peak[stage] = Math.Max(peak[stage], inFlight[stage]);
                }
            }

            if (moves.All(move => move is null))
            {
                var stuck = Enumerable.Range(0, stages.Length).First(stage => next[stage] < stages[stage].Length);
                throw new InvalidOperationException(
                    $"The schedule stops: stage {stuck} waits for ever to do {stages[stuck][next[stuck]]}.\n{Draw(grid, stuck)}");
            }
        }

        return new DryRun([.. grid.Select(row => row.ToImmutableArray())], [.. peak]);
    }

    /// <summary>The grid: a row a stage, a column a unit of time.</summary>
    public override string ToString() => Draw(_grid.Select(row => row.ToList()), null);

    private static StageOperation? Ready(
        ImmutableArray<ImmutableArray<StageOperation>> stages, HashSet<StageOperation>[] done, int[] next, int stage)
    {
        if (next[stage] == stages[stage].Length)
        {
            return null;
        }

        var operation = stages[stage][next[stage]];
        var neighbour = operation.IsForward ? stage - 1 : stage + 1;
        var isReady = neighbour < 0
            || (neighbour < stages.Length ? done[neighbour].Contains(operation) : done[stage].Contains(operation with { IsForward = true }));
        return isReady && (operation.IsForward || done[stage].Contains(operation with { IsForward = true })) ? operation : null;
    }

    private static void CheckOrder(List<StageOperation?>[] grid, HashSet<StageOperation> done, int stage, StageOperation operation)
    {
        if (done.Contains(operation)
            || (operation.MicroBatch > 0 && !done.Contains(operation with { MicroBatch = operation.MicroBatch - 1 })))
        {
            throw new InvalidOperationException(
                $"Stage {stage} does {operation} twice or out of order: forwards and backwards must ascend.\n{Draw(grid, stage)}");
        }
    }

    private static string Draw(IEnumerable<IReadOnlyList<StageOperation?>> grid, int? marked)
    {
        var rows = grid.ToList();
        var width = rows.SelectMany(row => row).Select(cell => cell.ToString()?.Length ?? 1).Append(1).Max();
        var text = new StringBuilder();
        for (var stage = 0; stage < rows.Count; stage++)
        {
            var cells = rows[stage].Select(cell => (cell?.ToString() ?? ".").PadRight(width));
            text.Append(stage == marked ? '>' : ' ').AppendJoin(' ', cells).Append('\n');
        }

        return text.ToString();
    }
}
