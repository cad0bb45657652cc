using System.CommandLine;
using DistributedBackprop.Cli;
using DistributedBackprop.Cli.Explain;
using DistributedBackprop.Cli.Node;
using DistributedBackprop.Cli.Service;
using DistributedBackprop.Cli.Simulate;
using DistributedBackprop.Cli.Train;
using DistributedBackprop.Training.Tensors;

if (!HardwareSupport.IsSupported)
{
    await Console.Error.WriteLineAsync(
        "backprop: this processor has no AVX2 and FMA, without which the promised bits cannot be computed.");
    return ExitCode.JobFailed;
}

var root = new RootCommand("Trains neural networks in which every layer is an actor: the same job, the same bits.")
{
    TrainCommand.Create(),
    NodeCommand.Create(),
    ExplainCommand.Create(),
    SubmitCommand.Create(),
    JobsCommand.Create(),
    WatchCommand.Create(),
    JobActionCommands.Pause(),
    JobActionCommands.Resume(),
    JobActionCommands.Cancel(),
    JobActionCommands.Delete(),
    ExportCommand.Create(),
    PredictCommand.Create(),
    NodesCommand.Create(),
    ValidateCommand.Create(),
    HealthCommand.Create(),
    CertificatesCommand.Create(),
    SimulateCommand.Create(),
    CompletionCommand.Create(),
};
var parsed = root.Parse(args);

// A shell that asks what could stand there hands over a line that is not finished.
if (parsed.Errors.Count > 0 && !(args is [var first, ..] && first.StartsWith("[suggest", StringComparison.Ordinal)))
{
    foreach (var line in UsageErrors.Of(parsed, root))
    {
        await Console.Error.WriteLineAsync(line);
    }

    return ExitCode.Invalid;
}

try
{
    // Signals are handled by the commands: a job ends in its own way and its own time.
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (CommandException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return e.ExitCode;
}
catch (IOException e)
{
    await Console.Error.WriteLineAsync($"backprop: the output cannot be written: {e.Message}");
    return ExitCode.JobFailed;
}
catch (Exception e) when (!args.Contains("--verbose"))
{
    // What nobody foresaw (standard output that takes nothing more, say). With --verbose the runtime shows where.
    await Console.Error.WriteLineAsync($"backprop: {e.GetType().Name}: {e.Message}");
    return ExitCode.JobFailed;
}
