using System.CommandLine;
using DistributedBackprop.Cli.Train;

namespace DistributedBackprop.Cli.Service;

/// <summary>What all commands that talk to a service do alike.</summary>
internal static class ServiceCommand
{
    /// <summary>The deadline of a call that is answered at once.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    /// <summary>Makes of a command one that talks to a service.</summary>
    /// <param name="command">With its own arguments and options.</param>
    /// <param name="run">Runs it, until it is done or interrupted, and returns the exit code.</param>
    public static Command With(Command command, Func<ParseResult, ServiceConnection, ServiceOutput, CancellationToken, Task<int>> run)
    {
        var address = new ServiceAddress();
        address.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var signal = new InterruptSignal();
            using var connection = address.Connect(parsed);
            var output = new ServiceOutput(address.IsJson(parsed));
            return await ServiceFailure.ToldAsync(connection, () => run(parsed, connection, output, signal.Token));
        });
        return command;
    }

    /// <summary>The argument that names a job of the service.</summary>
    public static Argument<string> JobId() => new("ID") { Description = "The job's id, as 'submit' prints it." };
}
