using DistributedBackprop.Server.Grpc;
using Google.Rpc;
using Grpc.Core;

namespace DistributedBackprop.Cli.Service;

/// <summary>What a service refused, as the command says it: words and an exit code.</summary>
internal static class ServiceFailure
{
    /// <summary>Runs a command against a service.</summary>
    /// <param name="connection">To the service.</param>
    /// <param name="command">Returns the exit code.</param>
    /// <exception cref="CommandException">The service refuses, or does not answer.</exception>
    public static async Task<int> ToldAsync(ServiceConnection connection, Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (RpcException e)
        {
            throw Of(e, connection.Address);
        }
    }

    private static CommandException Of(RpcException e, Uri address)
    {
        var violations = e.GetRpcStatus()?.GetDetail<BadRequest>()?.FieldViolations;
        return e.StatusCode switch
        {
            StatusCode.InvalidArgument when violations is { Count: > 0 } => new CommandException(
                ExitCode.Invalid, [.. violations.Select(violation => Words(violation))]),
            StatusCode.InvalidArgument or StatusCode.AlreadyExists => new CommandException(ExitCode.Invalid, $"backprop: {e.Status.Detail}"),
            StatusCode.NotFound => new CommandException(ExitCode.NotFound, $"backprop: {e.Status.Detail}"),
            StatusCode.Unauthenticated or StatusCode.PermissionDenied => new CommandException(
                ExitCode.Denied, $"backprop: {address} lets nobody in with this token: {e.Status.Detail}"),
            StatusCode.Cancelled => new CommandException(ExitCode.Interrupted, "backprop: stopped"),
            StatusCode.DeadlineExceeded => new CommandException(ExitCode.NoCluster, $"backprop: {address} did not answer in time"),
            _ when Pings.IsBroken(e) || e.Status.DebugException is HttpRequestException => new CommandException(
                ExitCode.NoCluster, $"backprop: no service answers at {address}: {e.Status.Detail} (is 'backprop node' running there?)"),
            _ => new CommandException(ExitCode.JobFailed, $"backprop: {e.Status.Detail}"),
        };
    }

    // Errors of a job file name their place themselves.
    private static string Words(BadRequest.Types.FieldViolation violation) =>
        violation.Field.StartsWith("document:", StringComparison.Ordinal) ? violation.Description : $"backprop: {violation.Field} {violation.Description}";
}
