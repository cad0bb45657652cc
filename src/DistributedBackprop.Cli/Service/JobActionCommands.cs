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

    public static Command Resume() => Of(
        "resume",
        "Put a paused job back into the queue.",
        (connection, id, options) => connection.Training.ResumeAsync(new ResumeRequest { Id = id }, options));

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
