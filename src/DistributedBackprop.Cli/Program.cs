using System.CommandLine;
using DistributedBackprop.Cli;
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
};
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
    {
        await Console.Error.WriteLineAsync($"backprop: {error.Message}");
    }

    await Console.Error.WriteLineAsync($"Try 'backprop {(args.FirstOrDefault() == "train" ? "train " : "")}--help'.");
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
