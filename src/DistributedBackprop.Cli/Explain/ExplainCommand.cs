using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace DistributedBackprop.Cli.Explain;

/// <summary><c>backprop explain JOB</c>: shows what one example does in the layers of a job, and how the chain rule works there.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var job = new Argument<string>("JOB") { Description = "The job file (YAML or JSON)." };
        var dataRoot = new Option<string?>("--data-root") { Description = "The folder of the data files. Default: the job file's folder.", HelpName = "DIR" };
        var example = new Option<int>("--example") { Description = "The training example that is shown, from 0, in the order of the data.", DefaultValueFactory = _ => 0, HelpName = "I" };
        var examples = new Option<int?>("--examples")
        {
            Description = "Judge N examples, from I on, together: how well deltas reach each layer, and which of its units are dead or saturated.",
            HelpName = "N",
        };
        var step = new Option<long>("--step") { Description = "Train so many steps of the job first.", DefaultValueFactory = _ => 0, HelpName = "S" };
        var init = new Option<string?>("--init") { Description = "Begin with the parameters of this safetensors file.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print events to standard output, one JSON object a line." };
        var html = new Option<string?>("--html") { Description = "Write one page that shows it step by step in a browser, without a network.", HelpName = "FILE" };
        var pause = new Option<bool>("--pause") { Description = "Wait after each screen: Enter shows the next one, q ends." };
        example.CustomParser = result => Number(result, example.Name, 0, int.MaxValue);
        examples.CustomParser = result => Number(result, examples.Name, 1, int.MaxValue);
        step.CustomParser = result => Number(result, step.Name, 0L, long.MaxValue);
        job.Validators.Add(result => NotEmpty(result, job.Name));
        foreach (var path in new[] { dataRoot, init, html })
        {
            path.Validators.Add(result => NotEmpty(result, path.Name));
        }

        var command = new Command("explain", "Show the chain rule at work: one example through the layers of a job, and back.")
        {
            job, dataRoot, example, examples, step, init, json, html, pause,
        };
        command.SetAction((parsed, _) => ExplainRun.RunAsync(new ExplainOptions(
            parsed.GetValue(job)!,
            parsed.GetValue(dataRoot),
            parsed.GetValue(example),
            parsed.GetValue(examples),
            parsed.GetValue(step),
            parsed.GetValue(init),
            parsed.GetValue(json),
            parsed.GetValue(html),
            parsed.GetValue(pause))));
        return command;
    }

    private static TNumber Number<TNumber>(ArgumentResult result, string name, TNumber least, TNumber most)
        where TNumber : IBinaryInteger<TNumber>
    {
        var text = result.Tokens[0].Value;
        if (TNumber.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && value >= least && value <= most)
        {
            return value;
        }

        result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be {least} … {most} (was {text})"));
        return least;
    }

    // A script's variable that was never set.
    private static void NotEmpty(SymbolResult result, string name)
    {
        if (result.Tokens is [{ Value: "" }])
        {
            result.AddError($"{name} must not be empty");
        }
    }
}
