using System.Globalization;
using DistributedBackprop.Cli.Train;
using DistributedBackprop.Simulation;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;

namespace DistributedBackprop.Cli.Simulate;

/// <summary>Runs seed after seed, says how it goes, and sums up.</summary>
internal static class SimulateRun
{
    /// <summary>The name of the scenario in which everything happens.</summary>
    public const string DefaultFaults = "default";

    private const string NoFaults = "none";

    public static int Run(SimulateOptions options, CancellationToken cancellation)
    {
        var scenario = ScenarioOf(options.Faults);
        var job = JobOf(options);
        var output = new SimulateOutput(options);
        var simulation = SimulationOf(job, scenario, options.Nodes);
        var summary = new SimulationSummary();
        SimulatedRun? shown = null;
        for (var number = 0; number < options.Seeds && !cancellation.IsCancellationRequested; number++)
        {
            var run = simulation.Run(unchecked(options.Seed + (ulong)number));
            summary.Add(run);
            if (shown is null || (shown.IsRight && !run.IsRight))
            {
                shown = run;
            }

            output.Tell(run, summary);
        }

        if (shown is not null && options.TimelinePath is { } path)
        {
            WriteTimeline(path, new Timeline(shown));
        }

        output.Tell(summary, simulation.Expected.WeightsSha256);
        return cancellation.IsCancellationRequested ? ExitCode.Interrupted
            : summary.Mismatches > 0 ? ExitCode.JobFailed
            : ExitCode.Done;
    }

    private static Scenario ScenarioOf(string faults)
    {
        switch (faults)
        {
            case DefaultFaults:
                return Scenario.Default;
            case NoFaults:
                return Scenario.None;
        }

        if (!File.Exists(faults))
        {
            throw new CommandException(
                ExitCode.NotFound, $"{faults}: there is no such scenario file (--faults takes default, none or a file)");
        }

        return ScenarioFile.Parse(faults, JobLoading.Text(faults), out var errors)
            ?? throw new CommandException(ExitCode.Invalid, [.. errors.Select(error => error.ToString())]);
    }

    private static SimulatedJob JobOf(SimulateOptions options)
    {
        if (options.JobPath is not { } path)
        {
            return DefaultJob.Load();
        }

        var job = JobLoading.Job(path);
        var graph = JobLoading.Graph(job);
        var root = options.DataRoot ?? Path.GetDirectoryName(Path.GetFullPath(path))!;
        return new SimulatedJob(job, graph, JobLoading.Data(job, graph, root));
    }

    private static ClusterSimulation SimulationOf(SimulatedJob job, Scenario scenario, int nodes)
    {
        try
        {
            return new ClusterSimulation(job, scenario, nodes);
        }
        catch (SimulationException e)
        {
            throw new CommandException(ExitCode.JobFailed, e.Message);
        }
    }

    private static void WriteTimeline(string path, Timeline timeline)
    {
        var text = Path.GetExtension(path) switch
        {
            ".svg" => TimelinePicture.Svg(timeline),
            ".html" => TimelinePicture.Html(timeline),
            _ => timeline.ToText(),
        };
        try
        {
            File.WriteAllText(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(
                ExitCode.Invalid, string.Create(CultureInfo.InvariantCulture, $"{path}: the timeline cannot be written: {e.Message}"));
        }
    }
}
