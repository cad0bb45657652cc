using DistributedBackprop.Protocol;
using DistributedBackprop.Server.Grpc;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;

namespace DistributedBackprop.Server.Tests.Grpc;

/// <summary>Every call: as it should be, invalid, without a token, with a wrong one, cancelled, too late, too large.</summary>
public sealed class EveryCallTests(ServiceNode node) : IClassFixture<ServiceNode>
{
    private const string Done = "every-call";

    private static readonly string _longId = new('a', (4 << 20) + 1);

    private static readonly Dictionary<string, Func<Clients, string, CallOptions, Task>> _calls = new()
    {
        ["Submit"] = (node, id, options) => node.Training.SubmitAsync(
            new SubmitRequest { Id = id, Document = ServiceNode.Xor(1) }, options).ResponseAsync,
        ["Get"] = (node, id, options) => node.Training.GetAsync(new GetRequest { Id = id }, options).ResponseAsync,
        ["List"] = (node, id, options) => node.Training.ListAsync(
            new ListRequest { PageToken = id == Done ? "" : id }, options).ResponseAsync,
        ["Watch"] = (node, id, options) => AllOf(node.Training.Watch(new WatchRequest { Id = id }, options)),
        ["Pause"] = (node, id, options) => node.Training.PauseAsync(new PauseRequest { Id = id }, options).ResponseAsync,
        ["Resume"] = (node, id, options) => node.Training.ResumeAsync(new ResumeRequest { Id = id }, options).ResponseAsync,
        ["Cancel"] = (node, id, options) => node.Training.CancelAsync(new CancelRequest { Id = id }, options).ResponseAsync,
        ["Delete"] = (node, id, options) => node.Training.DeleteAsync(new DeleteRequest { Id = id }, options).ResponseAsync,
        ["Validate"] = (node, id, options) => node.Training.ValidateAsync(
            new ValidateRequest { Document = ServiceNode.Xor(), FileName = id == "not an id" ? "\n" : id }, options).ResponseAsync,
        ["Placement"] = (node, id, options) => node.Training.PlacementAsync(new PlacementRequest { Id = id }, options).ResponseAsync,
        ["Nodes"] = (node, _, options) => node.Training.NodesAsync(new NodesRequest(), options).ResponseAsync,
        ["Export"] = (node, id, options) => AllOf(node.Models.Export(new ExportRequest { Id = id }, options)),
        ["Predict"] = (node, id, options) => node.Models.PredictAsync(
            new PredictRequest { Id = id, Features = { 0, 1 } }, options).ResponseAsync,
    };

    public static TheoryData<string> Calls => [.. _calls.Keys];

    /// <summary>All calls but the one that any node answers by itself.</summary>
    internal static IEnumerable<string> CallsToTheCoordinator => _calls.Keys.Except(["Validate"]);

    /// <summary>Makes a call, valid in itself.</summary>
    internal static Task MakeAsync(string call, GrpcChannel channel, CallOptions options) => _calls[call](
        new Clients(new Protocol.Training.TrainingClient(channel), new Models.ModelsClient(channel)), Done, options);

    private Clients Node => new(node.Training, node.Models);

    public static TheoryData<string> CallsWithAField => [.. _calls.Keys.Except(["Nodes"])];

    [Theory]
    [InlineData("Submit")]
    [InlineData("Get")]
    [InlineData("List")]
    [InlineData("Watch")]
    [InlineData("Validate")]
    [InlineData("Placement")]
    [InlineData("Nodes")]
    [InlineData("Export")]
    [InlineData("Predict")]
    [InlineData("Delete")]
    public async Task Valid(string call)
    {
        // What is deleted is of this test alone.
        var id = call == "Delete" ? "to-be-deleted" : Done;
        await node.TrainAsync(id, ServiceNode.Xor(1));
        await _calls[call](Node, id, node.Call());
    }

    [Fact]
    public async Task What_is_deleted_again_is_not_found_unless_it_is_the_same_call_made_again()
    {
        await node.TrainAsync("deleted-twice", ServiceNode.Xor(1));
        await node.Training.DeleteAsync(new DeleteRequest { Id = "deleted-twice" }, node.Call());
        (await FailureOf("Delete", "deleted-twice", node.Call())).ShouldBe(StatusCode.NotFound);

        // As gRPC's own retry policy says it.
        var again = node.Call();
        again.Headers!.Add("grpc-previous-rpc-attempts", "1");
        await node.Training.DeleteAsync(new DeleteRequest { Id = "deleted-twice" }, again);
    }

    // What is asked of a job that has ended does not fit its state, whatever it is.
    [Theory]
    [InlineData("Pause")]
    [InlineData("Resume")]
    [InlineData("Cancel")]
    public async Task Valid_but_not_now(string call)
    {
        await node.TrainAsync(Done, ServiceNode.Xor(1));
        (await FailureOf(call, Done, node.Call())).ShouldBe(StatusCode.FailedPrecondition);
    }

    [Theory]
    [MemberData(nameof(CallsWithAField))]
    public async Task Invalid(string call)
    {
        var failure = await Should.ThrowAsync<RpcException>(() => _calls[call](Node, "not an id", node.Call()));
        failure.StatusCode.ShouldBe(StatusCode.InvalidArgument);
        var violation = failure.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.ShouldHaveSingleItem();
        violation.Field.ShouldNotBeEmpty();
        violation.Description.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("Get")]
    [InlineData("Watch")]
    [InlineData("Pause")]
    [InlineData("Resume")]
    [InlineData("Cancel")]
    [InlineData("Delete")]
    [InlineData("Placement")]
    [InlineData("Export")]
    [InlineData("Predict")]
    public async Task Of_no_job(string call)
    {
        var failure = await Should.ThrowAsync<RpcException>(() => _calls[call](Node, "nobody", node.Call()));
        failure.StatusCode.ShouldBe(StatusCode.NotFound);
        failure.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason.ShouldBe("JOB_NOT_FOUND");
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Without_a_token(string call) =>
        (await FailureOf(call, Done, new CallOptions())).ShouldBe(StatusCode.Unauthenticated);

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task With_a_wrong_token(string call) =>
        (await FailureOf(call, Done, ServiceNode.Call(AccessToken.Random()))).ShouldBe(StatusCode.Unauthenticated);

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Cancelled(string call)
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        (await FailureOf(call, Done, node.Call(cancelled.Token))).ShouldBe(StatusCode.Cancelled);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Past_its_deadline(string call) =>
        (await FailureOf(call, Done, node.Call().WithDeadline(DateTime.UtcNow.AddSeconds(-1)))).ShouldBe(StatusCode.DeadlineExceeded);

    [Theory]
    [MemberData(nameof(CallsWithAField))]
    public async Task Too_large(string call)
    {
        // Four MiB of a name, or 64 of numbers.
        var isModel = call is "Export" or "Predict";
        var id = isModel ? new string('a', ServiceHosting.LargestMessage + 1) : _longId;
        (await FailureOf(call, id, node.Call())).ShouldBe(StatusCode.ResourceExhausted);
    }

    private async Task<StatusCode> FailureOf(string call, string id, CallOptions options) =>
        (await Should.ThrowAsync<RpcException>(() => _calls[call](Node, id, options))).StatusCode;

    private sealed record Clients(Protocol.Training.TrainingClient Training, Models.ModelsClient Models);

    private static async Task AllOf<T>(AsyncServerStreamingCall<T> call)
    {
        using (call)
        {
            await foreach (var _ in call.ResponseStream.ReadAllAsync())
            {
                // Only that it comes to its end.
            }
        }
    }
}
