using System.CommandLine;
using System.Globalization;

namespace DistributedBackprop.Cli.Service;

/// <summary><c>backprop watch ID</c>: what happens to a job, to its end.</summary>
internal static class WatchCommand
{
    public static Command Create()
    {
        var id = ServiceCommand.JobId();
        var after = new Option<long>("--after") { Description = "Begin after the event of this number. Default: 0, from the beginning.", HelpName = "NUMBER" };
        var every = JsonEvery();
        return ServiceCommand.With(
            new Command("watch", "Watch a job to its end; the exit code is the job's. Ctrl-C ends the watching, not the job.") { id, after, every },
            (parsed, connection, output, cancellation) =>
                new JobWatching(connection, output, parsed.GetValue(every)).RunAsync(parsed.GetValue(id)!, parsed.GetValue(after), cancellation));
    }

    /// <summary>How often progress is told.</summary>
    public static Option<int> JsonEvery()
    {
        var option = new Option<int>("--json-every")
        {
            Description = "Steps from one progress event to the next. Default: 100.",
            DefaultValueFactory = _ => 100,
            HelpName = "N",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }]
                && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || value < 1))
            {
                result.AddError($"--json-every must be 1 … {int.MaxValue} (was {text})");
            }
        });
        return option;
    }
}
