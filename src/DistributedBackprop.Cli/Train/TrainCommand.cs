using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace DistributedBackprop.Cli.Train;

/// <summary><c>backprop train JOB</c>: runs a job to its end on this machine.</summary>
internal static class TrainCommand
{
    private const int MaxNodes = 64;
    private const int MaxThreads = 1024;

    public static Command Create()
    {
        var job = new Argument<string>("JOB") { Description = "The job file (YAML or JSON)." };
        var dataRoot = new Option<string?>("--data-root") { Description = "The folder of the data files. Default: the job file's folder.", HelpName = "DIR" };
        var state = new Option<string?>("--state") { Description = "The folder of durable state: a job that was stopped goes on from its newest checkpoint there. Default: .backprop.", HelpName = "DIR" };
        var nodes = new Option<int?>("--nodes")
        {
            Description = "Train on N processes of this machine that form a cluster; the weights do not depend on it. Where it listens, TLS and the secret by which nodes of other machines may join are set as for 'backprop node'. Default: in this process.",
            HelpName = "N",
        };
        var threads = new Option<int?>("--threads")
        {
            Description = "Threads on which the layers of a process compute; the weights do not depend on it. Default: the machine's cores, shared by the processes.",
            HelpName = "T",
        };
        var init = new Option<string?>("--init") { Description = "Begin with the parameters of this safetensors file.", HelpName = "FILE" };
        var export = new Option<string?>("--export") { Description = "Write the final parameters to this safetensors file.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print events to standard output, one JSON object a line." };
        var jsonEvery = new Option<int>("--json-every")
        {
            Description = "Steps from one progress event to the next.",
            DefaultValueFactory = _ => 100,
            HelpName = "N",
        };
        var otlp = new Option<string?>("--otlp-endpoint") { Description = "Where measures and traces go (OpenTelemetry, OTLP). Default: OTEL_EXPORTER_OTLP_ENDPOINT, else nowhere.", HelpName = "URL" };
        var force = new Option<bool>("--force") { Description = "Go on with a job that another version of the program has begun; its weights need not be those of one version then." };
        var verbose = new Option<bool>("--verbose") { Description = "Say what the processor offers and where the time goes; on an unforeseen error, where it happened." };
        nodes.CustomParser = result => Number(result, nodes.Name, 1, MaxNodes);
        threads.CustomParser = result => Number(result, threads.Name, 1, MaxThreads);
        jsonEvery.CustomParser = result => Number(result, jsonEvery.Name, 1, int.MaxValue);
        job.Validators.Add(result => Path(result, job.Name));
        foreach (var path in new[] { dataRoot, state, init, export })
        {
            path.Validators.Add(result => Path(result, path.Name));
        }

        var command = new Command("train", "Run a job to its end on this machine.")
        {
            job, dataRoot, state, nodes, threads, init, export, json, jsonEvery, otlp, force, verbose,
        };
        command.SetAction((parsed, _) => TrainRun.RunAsync(new TrainOptions(
            parsed.GetValue(job)!,
            parsed.GetValue(dataRoot),
            parsed.GetValue(state),
            parsed.GetValue(nodes),
            parsed.GetValue(threads),
            parsed.GetValue(init),
            parsed.GetValue(export),
            parsed.GetValue(json),
            parsed.GetValue(jsonEvery),
            parsed.GetValue(otlp),
            parsed.GetValue(force),
            parsed.GetValue(verbose))));
        return command;
    }

    private static int Number(ArgumentResult result, string name, int least, int most)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && value >= least && value <= most)
        {
            return value;
        }

        result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be {least} … {most} (was {text})"));
        return least;
    }

    // A script's variable that was never set.
    private static void Path(SymbolResult result, string name)
    {
        if (result.Tokens is [{ Value: "" }])
        {
            result.AddError($"{name} must not be empty");
        }
    }
}
