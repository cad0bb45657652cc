using DistributedBackprop.Protocol;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;

namespace DistributedBackprop.Server.Tests.Grpc;

/// <summary>Jobs of a service, from the outside.</summary>
public sealed class JobsOfServiceTests(ServiceNode node) : IClassFixture<ServiceNode>
{
    [Fact]
    public async Task A_job_trains_and_its_weights_are_those_that_it_tells()
    {
        var events = await node.TrainAsync("whole", ServiceNode.Xor());
        events[0].BodyCase.ShouldBe(Event.BodyOneofCase.Waiting);
        var completed = events[^1].Completed.ShouldNotBeNull();
        events.Select(happened => happened.Number).ShouldBe(Enumerable.Range(1, events.Count).Select(number => (long)number));
        events.Count(happened => happened.BodyCase == Event.BodyOneofCase.Progress).ShouldBe((int)completed.Steps);
        var job = await node.Training.GetAsync(new GetRequest { Id = "whole" }, node.Call());
        job.State.ShouldBe(JobState.Completed);
        job.Step.ShouldBe(completed.Steps);
        job.WeightsSha256.ShouldBe(completed.WeightsSha256);

        using var file = new MemoryStream();
        using var call = node.Models.Export(new ExportRequest { Id = "whole" }, node.Call());
        await foreach (var chunk in call.ResponseStream.ReadAllAsync())
        {
            chunk.Data.WriteTo(file);
        }

        var bytes = file.ToArray();
        var data = bytes.AsSpan(8 + (int)BitConverter.ToInt64(bytes));
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(data)).ShouldBe(completed.WeightsSha256);

        // As it judged itself: all of the test set right.
        completed.TestAccuracy.ShouldBe(1);
        var answers = await node.Models.PredictAsync(
            new PredictRequest { Id = "whole", Features = { 0, 0, 0, 1, 1, 0, 1, 1 } }, node.Call());
        answers.Classes.ShouldBe([0, 1, 1, 0]);
        answers.Outputs.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_watcher_goes_on_where_it_stopped()
    {
        var all = await node.TrainAsync("resumed-watch", ServiceNode.Xor(5));
        (await node.WatchAsync("resumed-watch", after: 17)).ShouldBe(all.Skip(17));
        (await node.WatchAsync("resumed-watch", after: all[^1].Number)).ShouldBeEmpty();
        var sparse = await node.WatchAsync("resumed-watch", every: 10);
        sparse.Where(happened => happened.BodyCase == Event.BodyOneofCase.Progress).ShouldAllBe(happened => happened.Progress.Step % 10 == 0);
        sparse.ShouldAllBe(happened => happened.Skipped == 0);
    }

    [Fact]
    public async Task A_watcher_that_does_not_read_holds_up_nobody_and_hears_what_it_missed()
    {
        await node.SubmitAsync("slow-watch", ServiceNode.Xor(2000));
        using var slow = node.Training.Watch(new WatchRequest { Id = "slow-watch", ProgressEvery = 1 }, node.Call());
        var last = (await node.WatchAsync("slow-watch", every: 1_000_000))[^1];
        last.Completed.ShouldNotBeNull();

        long heard = 0;
        long skipped = 0;
        var before = 0L;
        await foreach (var happened in slow.ResponseStream.ReadAllAsync())
        {
            happened.Number.ShouldBeGreaterThan(before);
            before = happened.Number;
            heard++;
            skipped += happened.Skipped;
        }

        before.ShouldBe(last.Number);
        (heard + skipped).ShouldBe(last.Number);
        skipped.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_job_that_pauses_and_goes_on_has_the_weights_of_one_that_never_stopped()
    {
        const int Epochs = 3000;
        await node.SubmitAsync("pauses", ServiceNode.Xor(Epochs));
        await node.UntilAsync("pauses", happened => happened.BodyCase == Event.BodyOneofCase.Progress);
        var asked = await node.Training.PauseAsync(new PauseRequest { Id = "pauses" }, node.Call());
        asked.State.ShouldBe(JobState.Running);
        asked.Reason.ShouldContain("pauses after");
        await node.UntilAsync("pauses", happened => happened.BodyCase == Event.BodyOneofCase.Paused);
        var paused = await node.Training.GetAsync(new GetRequest { Id = "pauses" }, node.Call());
        paused.State.ShouldBe(JobState.Paused);
        paused.Step.ShouldBeInRange(1, paused.TotalSteps - 1);
        (await node.Training.ResumeAsync(new ResumeRequest { Id = "pauses" }, node.Call())).State.ShouldBeOneOf(JobState.Waiting, JobState.Running);
        var events = await node.WatchAsync("pauses", every: 1_000_000);
        var without = (await node.TrainAsync("never-pauses", ServiceNode.Xor(Epochs)))[^1];
        events[^1].Completed.ShouldNotBeNull().WeightsSha256.ShouldBe(without.Completed.WeightsSha256);
    }

    [Fact]
    public async Task Those_for_whom_there_is_no_room_wait_in_order_and_can_be_paused_resumed_and_cancelled()
    {
        await node.SubmitAsync("long", ServiceNode.Xor(1_000_000));
        string[] ids = ["queued-1", "queued-2", "queued-3"];
        foreach (var id in ids)
        {
            await node.SubmitAsync(id, ServiceNode.Xor(1));
        }

        for (var i = 0; i < ids.Length; i++)
        {
            var job = await node.Training.GetAsync(new GetRequest { Id = ids[i] }, node.Call());
            job.State.ShouldBe(JobState.Waiting);
            job.Position.ShouldBe(i + 1);
            job.Reason.ShouldNotBeEmpty();
        }

        (await node.Training.PauseAsync(new PauseRequest { Id = ids[0] }, node.Call())).State.ShouldBe(JobState.Paused);
        (await node.Training.ResumeAsync(new ResumeRequest { Id = ids[0] }, node.Call())).Position.ShouldBe(3);
        (await node.Training.CancelAsync(new CancelRequest { Id = ids[2] }, node.Call())).State.ShouldBe(JobState.Cancelled);
        (await node.Training.CancelAsync(new CancelRequest { Id = "long" }, node.Call())).Reason.ShouldContain("ends after");
        (await node.WatchAsync("long", every: 1_000_000))[^1].Cancelled.ShouldNotBeNull();
        (await node.WatchAsync(ids[1]))[^1].Completed.ShouldNotBeNull();
        (await node.WatchAsync(ids[0]))[^1].Completed.ShouldNotBeNull();
        var cancelled = await node.Training.ListAsync(new ListRequest { States = { JobState.Cancelled } }, node.Call());
        cancelled.Jobs.Select(job => job.Id).ShouldBe(["long", ids[2]], ignoreOrder: true);
    }

    [Fact]
    public async Task So_many_may_wait()
    {
        await node.SubmitAsync("holds-the-thread", ServiceNode.Xor(1_000_000));
        RpcException? refused = null;
        for (var i = 0; i <= ServiceNode.Open && refused is null; i++)
        {
            try
            {
                await node.SubmitAsync($"crowd-{i}", ServiceNode.Xor(1));
            }
            catch (RpcException e)
            {
                refused = e;
            }
        }

        refused.ShouldNotBeNull().StatusCode.ShouldBe(StatusCode.ResourceExhausted);
        refused.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason.ShouldBe("TOO_MANY");
        await node.Training.CancelAsync(new CancelRequest { Id = "holds-the-thread" }, node.Call());
        (await node.WatchAsync($"crowd-{ServiceNode.Open - 1}"))[^1].Completed.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_job_handed_in_twice_is_one_and_its_id_is_no_other_jobs()
    {
        await node.SubmitAsync("twice", ServiceNode.Xor(2));
        await node.SubmitAsync("twice", ServiceNode.Xor(2));
        var failure = await Should.ThrowAsync<RpcException>(() => node.SubmitAsync("twice", ServiceNode.Xor(3)));
        failure.StatusCode.ShouldBe(StatusCode.AlreadyExists);
        (await node.WatchAsync("twice"))[^1].Completed.ShouldNotBeNull();
        await node.Training.DeleteAsync(new DeleteRequest { Id = "twice" }, node.Call());
        (await Should.ThrowAsync<RpcException>(() => node.WatchAsync("twice"))).StatusCode.ShouldBe(StatusCode.NotFound);
    }

    [Fact]
    public async Task A_job_file_is_refused_with_line_and_column_of_every_error()
    {
        var document = ServiceNode.Xor().Replace("batchSize: 32", "batchSize: 0", StringComparison.Ordinal).Replace("xor, train", "xorr, train", StringComparison.Ordinal);
        var failure = await Should.ThrowAsync<RpcException>(() => node.SubmitAsync("wrong", document));
        failure.StatusCode.ShouldBe(StatusCode.InvalidArgument);
        failure.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field).ShouldContain("document:7:24");
        var validated = await node.Training.ValidateAsync(new ValidateRequest { Document = document }, node.Call());
        validated.Valid.ShouldBeFalse();
        validated.Errors.ShouldContain(error => error.Line == 7 && error.Column == 24 && error.Message.Contains("batchSize"));
    }

    [Fact]
    public async Task A_job_beyond_the_limits_is_refused()
    {
        var document = ServiceNode.Xor().Replace("units: 8", "units: 1000000", StringComparison.Ordinal);
        var failure = await Should.ThrowAsync<RpcException>(() => node.SubmitAsync("large", document));
        failure.StatusCode.ShouldBe(StatusCode.ResourceExhausted);
        failure.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason.ShouldBe("JOB_TOO_LARGE");
        (await node.Training.ValidateAsync(new ValidateRequest { Document = document }, node.Call())).Errors.ShouldContain(error => error.Kind == "LIMIT");
    }

    [Fact]
    public async Task Data_that_are_not_there_fail_the_job_with_words()
    {
        await node.Training.SubmitAsync(
            new SubmitRequest { Id = "rootless", Document = ServiceNode.Xor(), DataRoot = "elsewhere" }, node.Call());
        (await node.WatchAsync("rootless"))[^1].Failed.ShouldNotBeNull().Reason.ShouldContain("no data root 'elsewhere'");
    }

    [Fact]
    public async Task Pages_follow_one_another()
    {
        for (var i = 0; i < 3; i++)
        {
            await node.TrainAsync($"page-{i}", ServiceNode.Xor(1));
        }

        var ids = new List<string>();
        var request = new ListRequest { PageSize = 1 };
        do
        {
            var page = await node.Training.ListAsync(request, node.Call());
            page.Jobs.Count.ShouldBeLessThanOrEqualTo(1);
            ids.AddRange(page.Jobs.Select(job => job.Id));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        ids.ShouldBeUnique();
        ids.Where(id => id.StartsWith("page-", StringComparison.Ordinal)).ShouldBe(["page-0", "page-1", "page-2"]);
    }

    [Fact]
    public async Task The_cluster_is_told_with_roles_threads_and_states()
    {
        var response = await node.Training.NodesAsync(new NodesRequest(), node.Call());
        var one = response.Nodes.ShouldHaveSingleItem();
        one.Name.ShouldBe("one");
        one.Roles.ShouldBe(["coordinator", "worker"]);
        one.Threads.ShouldBe(1);
        one.State.ShouldBe("up");
        one.Coordinates.ShouldBeTrue();
        one.ProcessId.ShouldBe(Environment.ProcessId);
    }

    [Fact]
    public async Task Anybody_may_ask_whether_it_is_well_and_nobody_what_it_is()
    {
        var channel = node.Connect(node.Node.Service!);
        var health = await new global::Grpc.Health.V1.Health.HealthClient(channel).CheckAsync(new HealthCheckRequest(), deadline: DateTime.UtcNow.AddSeconds(30));
        health.Status.ShouldBe(HealthCheckResponse.Types.ServingStatus.Serving);
        using var reflection = channel.CreateCallInvoker().AsyncServerStreamingCall(
            new Method<GetRequest, GetRequest>(
                MethodType.ServerStreaming, "grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo", Bytes, Bytes),
            null, node.Call(), new GetRequest());
        (await Should.ThrowAsync<RpcException>(() => reflection.ResponseStream.MoveNext())).StatusCode.ShouldBe(StatusCode.Unimplemented);
    }

    private static Marshaller<GetRequest> Bytes { get; } = Marshallers.Create(message => Google.Protobuf.MessageExtensions.ToByteArray(message), GetRequest.Parser.ParseFrom);
}
