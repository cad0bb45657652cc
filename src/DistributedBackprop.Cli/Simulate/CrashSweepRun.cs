using System.Globalization;
using DistributedBackprop.Simulation.Checks;

namespace DistributedBackprop.Cli.Simulate;

/// <summary>Kills the processes of a simulated cluster at one point after the other.</summary>
/// <param name="sweep">The points.</param>
/// <param name="options">What the command was told.</param>
/// <param name="output">What it came to.</param>
/// <param name="errors">How it goes, and what is wrong.</param>
internal sealed class CrashSweepRun(CrashSweep sweep, SimulateOptions options, TextWriter output, TextWriter errors)
{
    private const int Every = 500;

    /// <summary>Runs the points of the range that the command was told.</summary>
    /// <param name="cancellation">Ends it between two points.</param>
    /// <returns>The command's exit code.</returns>
    public int Run(CancellationToken cancellation)
    {
        var range = options.CrashPoints!.Value;
        if (range.First >= sweep.Points.Length || (range.Count != int.MaxValue && range.First + (long)range.Count > sweep.Points.Length))
        {
            throw new CommandException(ExitCode.Invalid, string.Create(
                CultureInfo.InvariantCulture,
                $"--crash-points must be all or within 0-{sweep.Points.Length - 1}, the points of this job (was {range.First}-{range.First + (long)range.Count - 1})"));
        }

        var points = sweep.Points.Skip(range.First).Take(range.Count).ToList();
        var summary = new SimulationSummary();
        foreach (var (place, point) in points.Index())
        {
            if (cancellation.IsCancellationRequested)
            {
                return ExitCode.Interrupted;
            }

            var run = sweep.Run(point);
            summary.Add(run);
            Tell(range.First + place, point, run);
            if (summary.Seeds % Every == 0)
            {
                errors.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{summary.Seeds} of {points.Count} points, {summary.Mismatches} mismatches"));
            }
        }

        if (options.Json)
        {
            output.WriteLine(SimulateOutput.EventOf(
                ("event", "simulated"),
                ("seeds", summary.Seeds),
                ("mismatches", summary.Mismatches),
                ("faults", summary.Seeds),
                ("messages", summary.Messages),
                ("virtualSeconds", summary.VirtualTime.TotalSeconds),
                ("weightsSha256", sweep.WeightsSha256),
                ("points", sweep.Points.Length),
                ("slowestRecoverySeconds", summary.SlowestRecovery.TotalSeconds),
                ("traceSha256", summary.TraceSha256)));
            return summary.Mismatches > 0 ? ExitCode.JobFailed : ExitCode.Done;
        }

        Line("points of the job", sweep.Points.Length);
        Line("  around a write", sweep.Points.Count(point => point.Writes));
        Line("points run", summary.Seeds);
        Line("mismatches", summary.Mismatches);
        output.WriteLine($"{"weights sha256",-26}{sweep.WeightsSha256}");
        return summary.Mismatches > 0 ? ExitCode.JobFailed : ExitCode.Done;
    }

    private void Tell(int number, CrashPoint point, SimulatedRun run)
    {
        foreach (var problem in run.Problems)
        {
            errors.WriteLine(string.Create(CultureInfo.InvariantCulture, $"point {number}, {point}: {problem}"));
        }

        if (!run.IsRight)
        {
            errors.WriteLine(string.Create(CultureInfo.InvariantCulture, $"point {number} again: {Replay(number)}"));
            if (options.Json)
            {
                output.WriteLine(SimulateOutput.EventOf(
                    ("event", "mismatch"),
                    ("seed", options.Seed),
                    ("point", number),
                    ("problems", run.Problems),
                    ("replay", Replay(number))));
            }
        }
    }

    private string Replay(int number) => string.Join(' ', new[]
    {
        "backprop simulate",
        options.JobPath,
        options.DataRoot is null ? null : $"--data-root {options.DataRoot}",
        string.Create(
            CultureInfo.InvariantCulture, $"--nodes {options.Nodes} --seed {options.Seed} --crash-points {number}-{number}"),
    }.Where(part => part is not null));

    private void Line(string what, int count) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-26}{count}"));
}
