using System.CommandLine;
using DistributedBackprop.Protocol;
using Grpc.Core;

namespace DistributedBackprop.Cli.Service;

/// <summary><c>backprop pause</c>, <c>resume</c>, <c>cancel</c> and <c>delete</c>.</summary>
internal static class JobActionCommands
{
    public static Command Pause() => Of(
        "pause",
        "Put a job aside. One that runs first trains the steps that were granted.",
        (connection, id, options) => connection.Training.PauseAsync(new PauseRequest { Id = id }, options));

    public static Command Resume()
    {
        var id = ServiceCommand.JobId();
        var force = new Option<bool>("--force")
        {
            Description = "Also where another version of the program has begun it; its weights need not be those of one version then.",
        };
        return ServiceCommand.With(
            new Command("resume", "Put a paused job back into the queue.") { id, force },
            async (parsed, connection, output, cancellation) =>
            {
                var request = new ResumeRequest { Id = parsed.GetValue(id), Force = parsed.GetValue(force) };
                output.Print(await connection.Training.ResumeAsync(request, connection.Options(ServiceCommand.Soon, cancellation)));
                return ExitCode.Done;
            });
    }

    public static Command Cancel() => Of(
        "cancel",
        "End a job for good.",
        (connection, id, options) => connection.Training.CancelAsync(new CancelRequest { Id = id }, options));

    public static Command Delete()
    {
        var id = ServiceCommand.JobId();
        return ServiceCommand.With(
            new Command("delete", "Forget a job that has ended, with its weights.") { id },
            async (parsed, connection, output, cancellation) =>
            {
                var job = parsed.GetValue(id)!;
                await connection.Training.DeleteAsync(new DeleteRequest { Id = job }, connection.Options(ServiceCommand.Soon, cancellation));
                output.Print(json => json.WriteString("deleted", job), $"{job} is deleted");
                return ExitCode.Done;
            });
    }

    private static Command Of(string name, string description, Func<ServiceConnection, string, CallOptions, AsyncUnaryCall<Job>> call)
    {
        var id = ServiceCommand.JobId();
        return ServiceCommand.With(
            new Command(name, description) { id },
            async (parsed, connection, output, cancellation) =>
            {
                output.Print(await call(connection, parsed.GetValue(id)!, connection.Options(ServiceCommand.Soon, cancellation)));
                return ExitCode.Done;
            });
    }
}
