using System.Globalization;
using DistributedBackprop.Actors.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DistributedBackprop.Cli.Output;

/// <summary>What a run cost, node by node, for people.</summary>
internal static class StatisticsTable
{
    private const double Mebibyte = 1 << 20;

    public static IRenderable Of(RunStatistics statistics)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumns("node", "process");
        foreach (var column in new[] { "kernel s", "bubble", "activations MiB", "deltas MiB", "averaging MiB" })
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (var node in statistics.Nodes.GroupBy(node => (node.Node, node.ProcessId)))
        {
            var stages = node.SelectMany(generation => generation.Stages).ToList();
            var links = node.SelectMany(generation => generation.Links).ToList();
            table.AddRow(
                node.Key.Node.EscapeMarkup(),
                node.Key.ProcessId.ToString(CultureInfo.InvariantCulture),
                Number(stages.Sum(stage => stage.BusySeconds)),
                BubbleOf(stages),
                Number(links.Sum(link => link.Activations) / Mebibyte),
                Number(links.Sum(link => link.Deltas) / Mebibyte),
                Number(links.Sum(link => link.Averaging) / Mebibyte));
        }

        return table;
    }

    /// <summary>The whole run in a line or two.</summary>
    public static IEnumerable<string> LinesOf(RunStatistics statistics)
    {
        if (statistics.Bubble is { } bubble)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"bubble: {bubble:P1} of a step measured ({statistics.LastBubble:P1} of the last), {statistics.BubbleOfSchedule:P1} by the schedule, (p−1)/(m+p−1)");
        }

        if (statistics.AveragingRounds > 0)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"averaging: {statistics.AveragingRounds:N0} rounds, {statistics.AveragingBytes / (double)statistics.AveragingRounds:N0} bytes between nodes and {1e3 * statistics.AveragingSeconds / statistics.AveragingRounds:N2} ms in each");
        }
    }

    private static string BubbleOf(List<StageStatistics> stages)
    {
        var steps = stages.Sum(stage => stage.BubbleSteps);
        return steps == 0
            ? ""
            : (stages.Sum(stage => stage.Bubble * stage.BubbleSteps) / steps).ToString("P1", CultureInfo.InvariantCulture);
    }

    private static string Number(double value) => value.ToString("N2", CultureInfo.InvariantCulture);
}
