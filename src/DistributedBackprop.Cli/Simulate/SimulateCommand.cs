using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace DistributedBackprop.Cli.Simulate;

/// <summary><c>backprop simulate [JOB]</c>: whole clusters in virtual time, with what a seed has happen to them.</summary>
internal static class SimulateCommand
{
    private const int MostNodes = 64;

    public static Command Create()
    {
        var job = new Argument<string?>("JOB")
        {
            Description = "The job file (YAML or JSON); small networks are simulated fastest. Default: a small job of its own.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var dataRoot = new Option<string?>("--data-root") { Description = "The folder of the data files. Default: the job file's folder.", HelpName = "DIR" };
        var nodes = new Option<int>("--nodes") { Description = "Nodes at first.", DefaultValueFactory = _ => 4, HelpName = "N" };
        var seed = new Option<ulong>("--seed") { Description = "The first seed.", DefaultValueFactory = _ => 1, HelpName = "S" };
        var seeds = new Option<int>("--seeds") { Description = "How many seeds, from the first on.", DefaultValueFactory = _ => 100, HelpName = "COUNT" };
        var faults = new Option<string>("--faults")
        {
            Description = "What happens to the clusters: default, none, or a scenario file (YAML or JSON).",
            DefaultValueFactory = _ => SimulateRun.DefaultFaults,
            HelpName = "default|none|FILE",
        };
        var timeline = new Option<string?>("--timeline")
        {
            Description = "Write what happened in the first run that fails, or else in the first, to this file: text, or a picture where it ends in .svg or .html.",
            HelpName = "FILE",
        };
        var json = new Option<bool>("--json") { Description = "Print events to standard output, one JSON object a line." };
        nodes.CustomParser = result => (int)Number(result, nodes.Name, 1, MostNodes);
        seed.CustomParser = result => Number(result, seed.Name, 0, ulong.MaxValue);
        seeds.CustomParser = result => (int)Number(result, seeds.Name, 1, int.MaxValue);
        var command = new Command("simulate", "Train in simulated clusters, with faults, and compare the weights with an undisturbed run's.")
        {
            job, dataRoot, nodes, seed, seeds, faults, timeline, json,
        };

        // A simulation belongs to the thread that begins it: nothing is awaited meanwhile.
        command.SetAction((parsed, cancellation) => Task.FromResult(SimulateRun.Run(
            new SimulateOptions(
                parsed.GetValue(job),
                parsed.GetValue(dataRoot),
                parsed.GetValue(nodes),
                parsed.GetValue(seed),
                parsed.GetValue(seeds),
                parsed.GetValue(faults)!,
                parsed.GetValue(timeline),
                parsed.GetValue(json)),
            cancellation)));
        return command;
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
