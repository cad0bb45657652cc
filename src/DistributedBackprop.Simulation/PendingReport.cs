using System.Globalization;
using System.Text;

namespace DistributedBackprop.Simulation;

/// <summary>What a simulation was about when it could not go on, in words.</summary>
internal static class PendingReport
{
    private const int Shown = 12;

    /// <summary>The message of a <see cref="SimulationException"/>.</summary>
    public static string Of(
        SimulationLoop loop,
        string what,
        IReadOnlyList<QueuedRun> runs,
        IEnumerable<(SimulatedTimer Timer, TimeSpan Due)> timers,
        IReadOnlyList<string> outside)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"The simulation with seed {loop.Seed} stopped: {what}. ");
        text.AppendLine(CultureInfo.InvariantCulture, $"Virtual time {loop.Now:c}, {loop.StepCount} steps, {loop.MessageCount} messages.");
        List(text, "outside the loop", outside);
        List(text, "runs queued", [.. runs.Select(run => $"{run.Node?.Label ?? "simulation"} {run.Path}")]);
        List(text, "timers set", [.. timers.Select(set =>
            string.Create(CultureInfo.InvariantCulture, $"{set.Timer.Node?.Label ?? "simulation"} at {set.Due:c}"))]);
        List(text, "last logs", [.. loop.Nodes.SelectMany(node => node.Logs.Select(log => (node, log))).OrderBy(entry => entry.log.Time)
            .TakeLast(Shown).Select(entry => $"{entry.node.Label} {entry.log.Level} {entry.log.Text} {entry.log.Cause?.Message}")]);
        return text.ToString().TrimEnd();
    }

    private static void List(StringBuilder text, string title, IReadOnlyList<string> lines)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"  {title}: {(lines.Count == 0 ? "none" : lines.Count)}");
        foreach (string line in lines.Take(Shown))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"    {line}");
        }
    }
}
