using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Status = Google.Rpc.Status;

namespace DistributedBackprop.Server.Grpc;

/// <summary>The errors of the service, with details for programs (google.rpc).</summary>
internal static class ServiceErrors
{
    private const string Domain = "backprop";
    private const int MostErrors = 50;

    /// <summary>A field of a request is not as it must be.</summary>
    public static RpcException Invalid(string field, string reason) => Invalid([(field, reason)]);

    /// <summary>Fields of a request are not as they must be.</summary>
    public static RpcException Invalid(IReadOnlyList<(string Field, string Reason)> violations)
    {
        var details = new BadRequest();
        details.FieldViolations.AddRange(violations.Take(MostErrors).Select(violation =>
            new BadRequest.Types.FieldViolation { Field = violation.Field, Description = violation.Reason }));
        var more = violations.Count > 1 ? $" (and {violations.Count - 1} more)" : "";
        return Of(Code.InvalidArgument, $"{violations[0].Reason}{more}", details);
    }

    /// <summary>A job file is not valid: each error with its line and column, in the field's name and in the words.</summary>
    public static RpcException Invalid(IReadOnlyList<JobError> errors) => Invalid(
        [.. errors.Take(MostErrors).Select(error => (FormattableString.Invariant($"document:{error.Line}:{error.Column}"), error.ToString()))]);

    /// <summary>A limit of the service.</summary>
    public static RpcException TooMuch(string reason, string words) =>
        Of(Code.ResourceExhausted, words, new ErrorInfo { Reason = reason, Domain = Domain });

    /// <summary>The table has refused a request.</summary>
    public static RpcException Refused(RequestRefused refused) => refused.Refusal switch
    {
        Refusal.NotFound => Info(Code.NotFound, "JOB_NOT_FOUND", refused.Reason),
        Refusal.AlreadyExists => Info(Code.AlreadyExists, "ID_IN_USE", refused.Reason),
        Refusal.TooMany => TooMuch("TOO_MANY", refused.Reason),
        Refusal.NotNow => Unavailable(refused.Reason),
        _ => Info(Code.FailedPrecondition, "WRONG_STATE", refused.Reason),
    };

    /// <summary>Something does not allow it at present.</summary>
    public static RpcException Precondition(string reason, string words) => Info(Code.FailedPrecondition, reason, words);

    /// <summary>Nobody answers at present: the same call may be made again.</summary>
    public static RpcException Unavailable(string words) => Of(
        Code.Unavailable, words, new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) });

    private static RpcException Info(Code code, string reason, string words) =>
        Of(code, words, new ErrorInfo { Reason = reason, Domain = Domain });

    private static RpcException Of(Code code, string words, Google.Protobuf.IMessage details) =>
        new Status { Code = (int)code, Message = words, Details = { Any.Pack(details) } }.ToRpcException();
}
