using System.Collections.Immutable;
using System.Globalization;
using DistributedBackprop.Cli.Train;
using DistributedBackprop.Simulation;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Simulate;

/// <summary>Runs seed after seed, says how it goes, and sums up.</summary>
internal static class SimulateRun
{
    /// <summary>The name of the scenario in which everything happens.</summary>
    public const string DefaultFaults = "default";

    private const string NoFaults = "none";
    private const string Partitions = "partitions";
    private const string Elastic = "elastic";
    private const string Liveness = "liveness";

    public static int Run(SimulateOptions options, CancellationToken cancellation)
    {
        if (options.CrashPoints is not null)
        {
            var job = options.JobPath is null ? DefaultJob.LoadShort() : JobOf(options, job => job);
            var sweep = new CrashSweep(job, options.Nodes, options.Seed);
            return new CrashSweepRun(sweep, options, Console.Out, Console.Error).Run(cancellation);
        }

        var output = new SimulateOutput(options);
        var (simulate, weights) = SimulationOf(options, ScenarioOf(options));
        var summary = new SimulationSummary();
        SimulatedRun? shown = null;
        for (var number = 0; number < options.Seeds && !cancellation.IsCancellationRequested; number++)
        {
            var run = simulate(unchecked(options.Seed + (ulong)number));
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

        output.Tell(summary, weights);
        return cancellation.IsCancellationRequested ? ExitCode.Interrupted
            : summary.Mismatches > 0 ? ExitCode.JobFailed
            : ExitCode.Done;
    }

    private static Scenario ScenarioOf(SimulateOptions options)
    {
        var faults = options.Faults;
        switch (faults)
        {
            case DefaultFaults:
                return options.Jobs == 0 ? Scenario.Default : Scenario.Service;
            case NoFaults:
                return Scenario.None;
            case Partitions:
                return Scenario.Partitions;
            case Elastic:
                return Scenario.Elastic;
            case Liveness:
                return Scenario.Liveness;
        }

        if (!File.Exists(faults))
        {
            throw new CommandException(
                ExitCode.NotFound, $"{faults}: there is no such scenario file (--faults takes default, none, partitions, elastic, liveness or a file)");
        }

        return ScenarioFile.Parse(faults, JobLoading.Text(faults), out var errors)
            ?? throw new CommandException(ExitCode.Invalid, [.. errors.Select(error => error.ToString())]);
    }

    private static SimulatedJob JobOf(SimulateOptions options, Func<TrainingJob, TrainingJob> alter)
    {
        var path = options.JobPath!;
        var job = alter(JobLoading.Job(path));
        var graph = JobLoading.Graph(job);
        var root = options.DataRoot ?? Path.GetDirectoryName(Path.GetFullPath(path))!;
        return new SimulatedJob(job, graph, JobLoading.Data(job, graph, root));
    }

    private static ImmutableArray<SimulatedJob> QueueOf(SimulateOptions options) => options.JobPath is null
        ? DefaultJob.LoadQueue(options.Jobs)
        :
        [
            .. Enumerable.Range(1, options.Jobs).Select(number => JobOf(options, job => job with
            {
                Name = string.Create(CultureInfo.InvariantCulture, $"{job.Name}-{number}"),
                Seed = job.Seed + number - 1,
            })),
        ];

    private static (Func<ulong, SimulatedRun> Simulate, string Weights) SimulationOf(SimulateOptions options, Scenario scenario)
    {
        try
        {
            if (options.Jobs > 0)
            {
                var service = new ServiceSimulation(QueueOf(options), scenario, options.Nodes);
                return (service.Run, string.Join(' ', service.Expected.Values.Select(expected => expected.WeightsSha256)));
            }

            var job = options.JobPath is null ? DefaultJob.Load() : JobOf(options, job => job);
            var simulation = new ClusterSimulation(job, scenario, options.Nodes);
            return (simulation.Run, simulation.Expected.WeightsSha256);
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
