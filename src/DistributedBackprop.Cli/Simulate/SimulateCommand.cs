using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace DistributedBackprop.Cli.Simulate;

/// <summary><c>backprop simulate [JOB]</c>: whole clusters in virtual time, with what a seed has happen to them.</summary>
internal static class SimulateCommand
{
    private const int MostJobs = 64;
    private const int MostNodes = 64;

    public static Command Create()
    {
        var job = new Argument<string?>("JOB")
        {
            Description = "The job file (YAML or JSON); small networks are simulated fastest. Default: a small job of its own.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var dataRoot = new Option<string?>("--data-root") { Description = "The folder of the data files. Default: the job file's folder.", HelpName = "DIR" };
        var jobs = new Option<int>("--jobs")
        {
            Description = "Hand in so many jobs (copies of JOB with seeds of their own) through the queue of a service, whose client pauses and cancels some. Default: 0, one job and no queue.",
            DefaultValueFactory = _ => 0,
            HelpName = "N",
        };
        var nodes = new Option<int>("--nodes") { Description = "Nodes at first.", DefaultValueFactory = _ => 4, HelpName = "N" };
        var seed = new Option<ulong>("--seed") { Description = "The first seed.", DefaultValueFactory = _ => 1, HelpName = "S" };
        var seeds = new Option<int>("--seeds") { Description = "How many seeds, from the first on.", DefaultValueFactory = _ => 100, HelpName = "COUNT" };
        var faults = new Option<string>("--faults")
        {
            Description = "What happens to the clusters: default, none, partitions (also of the coordination), elastic (nodes come and go), liveness (all at once, and then the jobs must end soon), or a scenario file (YAML or JSON).",
            DefaultValueFactory = _ => SimulateRun.DefaultFaults,
            HelpName = "default|none|partitions|elastic|liveness|FILE",
        };
        var crashPoints = new Option<string?>("--crash-points")
        {
            Description = "Instead of --faults: kill a process before and after each message that it takes, one point a run, under the first seed. All of them, or those of a range, from 0.",
            HelpName = "all|FIRST-LAST",
        };
        var timeline = new Option<string?>("--timeline")
        {
            Description = "Write what happened in the first run that fails, or else in the first, to this file: text, or a picture where it ends in .svg or .html.",
            HelpName = "FILE",
        };
        var json = new Option<bool>("--json") { Description = "Print events to standard output, one JSON object a line." };
        jobs.CustomParser = result => (int)Number(result, jobs.Name, 0, MostJobs);
        nodes.CustomParser = result => (int)Number(result, nodes.Name, 1, MostNodes);
        seed.CustomParser = result => Number(result, seed.Name, 0, ulong.MaxValue);
        seeds.CustomParser = result => (int)Number(result, seeds.Name, 1, int.MaxValue);
        var command = new Command("simulate", "Train in simulated clusters, with faults, and compare the weights with an undisturbed run's.")
        {
            job, dataRoot, jobs, nodes, seed, seeds, faults, crashPoints, timeline, json,
        };

        // A simulation belongs to the thread that begins it: nothing is awaited meanwhile.
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(crashPoints) is not null
                && new Option[] { jobs, seeds, faults, timeline }.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } other)
            {
                throw new CommandException(
                    ExitCode.Invalid, $"{other.Name} does not go with --crash-points: its runs differ by the one point at which a process is killed");
            }

            return Task.FromResult(SimulateRun.Run(OptionsOf(parsed), cancellation));
        });
        return command;

        SimulateOptions OptionsOf(ParseResult parsed) =>
            new SimulateOptions(
                parsed.GetValue(job),
                parsed.GetValue(dataRoot),
                parsed.GetValue(jobs),
                parsed.GetValue(nodes),
                parsed.GetValue(seed),
                parsed.GetValue(seeds),
                parsed.GetValue(faults)!,
                Points(parsed.GetValue(crashPoints)),
                parsed.GetValue(timeline),
                parsed.GetValue(json));
    }

    private static (int First, int Count)? Points(string? range)
    {
        if (range is null or "all")
        {
            return range is null ? null : (0, int.MaxValue);
        }

        var ends = range.Split('-');
        return ends.Length == 2
            && int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && int.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            && last >= first
            ? (first, (int)Math.Min(int.MaxValue, (long)last - first + 1))
            : throw new CommandException(ExitCode.Invalid, $"--crash-points must be all or FIRST-LAST, for example 0-999 (was {range})");
    }

    private static ulong Number(ArgumentResult result, string name, ulong least, ulong most)
    {
        var text = result.Tokens[0].Value;
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
        {
            return value;
        }

        result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be {least} … {most} (was {text})"));
        return least;
    }
}
