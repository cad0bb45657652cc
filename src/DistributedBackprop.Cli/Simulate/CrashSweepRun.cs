using System.Globalization;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;

namespace DistributedBackprop.Cli.Simulate;

/// <summary>Kills the processes of a simulated cluster at one point after the other.</summary>
internal static class CrashSweepRun
{
    private const int Every = 500;

    /// <summary>Runs the points of a range.</summary>
    /// <param name="job">The job.</param>
    /// <param name="options">What the command was told.</param>
    /// <param name="cancellation">Ends it between two points.</param>
    public static int Run(SimulatedJob job, SimulateOptions options, CancellationToken cancellation)
    {
        var sweep = new CrashSweep(job, options.Nodes, options.Seed);
        var range = options.CrashPoints!.Value;
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
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{summary.Seeds} of {points.Count} points, {summary.Mismatches} mismatches"));
            }
        }

        Line("points of the job", sweep.Points.Length);
        Line("  around a write", sweep.Points.Count(point => point.Writes));
        Line("points run", summary.Seeds);
        Line("mismatches", summary.Mismatches);
        Console.WriteLine($"{"weights sha256",-26}{sweep.WeightsSha256}");
        return summary.Mismatches > 0 ? ExitCode.JobFailed : ExitCode.Done;
    }

    private static void Tell(int number, CrashPoint point, SimulatedRun run)
    {
        foreach (var problem in run.Problems)
        {
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"point {number}, {(point.IsBefore ? "before" : "after")} {point.Message} at {point.Actor}: {problem}"));
        }
    }

    private static void Line(string what, int count) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-26}{count}"));
}
