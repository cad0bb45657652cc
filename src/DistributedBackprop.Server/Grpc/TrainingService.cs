using System.Collections.Immutable;
using System.Globalization;
using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Protocol;
using DistributedBackprop.Training.Jobs.Table;
using Grpc.Core;
using JobPlacement = DistributedBackprop.Actors.Jobs.Requests.JobPlacement;
using JobState = DistributedBackprop.Training.Jobs.Table.JobState;
using ListRequest = DistributedBackprop.Protocol.ListRequest;
using PlacementRequest = DistributedBackprop.Protocol.PlacementRequest;

namespace DistributedBackprop.Server.Grpc;

/// <summary>Jobs and the cluster, as <c>protos/training.proto</c> says.</summary>
/// <param name="calls">Brings calls to the coordinator.</param>
/// <param name="members">Knows the members of the cluster.</param>
/// <param name="limits">What jobs may ask for.</param>
internal sealed class TrainingService(Calls calls, ClusterMembers members, JobLimits limits) : Protocol.Training.TrainingBase
{
    private const int MostEvents = 256;
    private const int DefaultPage = 100;
    private const int LargestPage = 1000;
    private const int DefaultProgress = 100;

    public override Task<Job> Submit(SubmitRequest request, ServerCallContext context)
    {
        var submission = JobDocuments.Read(request, limits);
        return calls.AnswerAsync(
            context,
            async (coordinator, cancellation) => JobMessages.Of(await Calls.AskAsync<JobStatus>(
                coordinator, new CommandRequest(new SubmitCommand(submission)), cancellation)),
            (there, options) => new Protocol.Training.TrainingClient(there).SubmitAsync(request, options));
    }

    public override Task<ValidateResponse> Validate(ValidateRequest request, ServerCallContext context) =>
        Task.FromResult(JobDocuments.Validate(request, limits));

    public override Task<Job> Get(GetRequest request, ServerCallContext context) => calls.AnswerAsync(
        context,
        async (coordinator, cancellation) => JobMessages.Of(await Calls.AskAsync<JobStatus>(
            coordinator, new StatusRequest(JobDocuments.Id(request.Id)), cancellation)),
        (there, options) => new Protocol.Training.TrainingClient(there).GetAsync(request, options));

    public override Task<ListResponse> List(ListRequest request, ServerCallContext context)
    {
        var size = InRange("page_size", request.PageSize == 0 ? DefaultPage : request.PageSize, LargestPage);
        var after = 0L;
        if (request.PageToken.Length > 0
            && !long.TryParse(request.PageToken, NumberStyles.None, CultureInfo.InvariantCulture, out after))
        {
            throw ServiceErrors.Invalid("page_token", "must be what the page before gave");
        }

        var states = request.States.Where(state => state != Protocol.JobState.Unspecified).Select(StateOf).ToImmutableArray();
        return calls.AnswerAsync(
            context,
            async (coordinator, cancellation) => JobMessages.Of(await Calls.AskAsync<JobList>(
                coordinator, new Actors.Jobs.Requests.ListRequest(states, after, size), cancellation)),
            (there, options) => new Protocol.Training.TrainingClient(there).ListAsync(request, options));
    }

    public override Task<Job> Pause(PauseRequest request, ServerCallContext context) => calls.AnswerAsync(
        context,
        async (coordinator, cancellation) => JobMessages.Of(await Calls.AskAsync<JobStatus>(
            coordinator, new CommandRequest(new PauseCommand(JobDocuments.Id(request.Id))), cancellation)),
        (there, options) => new Protocol.Training.TrainingClient(there).PauseAsync(request, options));

    public override Task<Job> Resume(ResumeRequest request, ServerCallContext context) => calls.AnswerAsync(
        context,
        async (coordinator, cancellation) => JobMessages.Of(await Calls.AskAsync<JobStatus>(
            coordinator, new CommandRequest(new ResumeCommand(JobDocuments.Id(request.Id), request.Force)), cancellation)),
        (there, options) => new Protocol.Training.TrainingClient(there).ResumeAsync(request, options));

    public override Task<Job> Cancel(CancelRequest request, ServerCallContext context) => calls.AnswerAsync(
        context,
        async (coordinator, cancellation) => JobMessages.Of(await Calls.AskAsync<JobStatus>(
            coordinator, new CommandRequest(new CancelCommand(JobDocuments.Id(request.Id))), cancellation)),
        (there, options) => new Protocol.Training.TrainingClient(there).CancelAsync(request, options));

    public override Task<DeleteResponse> Delete(DeleteRequest request, ServerCallContext context) => calls.AnswerAsync(
        context,
        async (coordinator, isRepeated, cancellation) =>
        {
            try
            {
                await Calls.AskAsync<JobStatus>(coordinator, new CommandRequest(new DeleteCommand(JobDocuments.Id(request.Id))), cancellation);
            }
            catch (RpcException e) when (isRepeated && e.StatusCode == StatusCode.NotFound)
            {
                // It was carried out when it was made before, and only the answer was lost.
            }

            return new DeleteResponse();
        },
        (there, options) => new Protocol.Training.TrainingClient(there).DeleteAsync(request, options));

    public override Task Watch(WatchRequest request, IServerStreamWriter<Event> responseStream, ServerCallContext context)
    {
        var id = JobDocuments.Id(request.Id);
        var every = InRange("progress_every", request.ProgressEvery == 0 ? DefaultProgress : request.ProgressEvery, int.MaxValue);
        if (request.AfterEvent < 0)
        {
            throw ServiceErrors.Invalid("after_event", FormattableString.Invariant($"must be at least 0 (was {request.AfterEvent})"));
        }

        return calls.StreamAsync(
            context,
            responseStream,
            async (coordinator, cancellation) =>
            {
                // Nothing is kept for a watcher: it comes for the next events when the ones before have left.
                var after = request.AfterEvent;
                var isFirst = true;
                while (true)
                {
                    var batch = await Calls.AskAgainAsync<EventBatch>(
                        coordinator, new EventsRequest(id, after, MostEvents, every), cancellation);
                    if (isFirst)
                    {
                        await context.WriteResponseHeadersAsync(Calls.WatchingHeaders);
                        isFirst = false;
                    }

                    foreach (var happened in batch.Events)
                    {
                        await responseStream.WriteAsync(EventMessages.Of(happened), cancellation);
                    }

                    if (batch.IsEnd)
                    {
                        return;
                    }

                    after = batch.Next;
                }
            },
            (there, options) => new Protocol.Training.TrainingClient(there).Watch(request, options));
    }

    public override Task<NodesResponse> Nodes(NodesRequest request, ServerCallContext context) => calls.AnswerAsync(
        context,
        async (coordinator, cancellation) => await members.DescribeAsync(
            await Calls.AskAsync<WorkerList>(coordinator, new WorkersRequest(), cancellation), cancellation),
        (there, options) => new Protocol.Training.TrainingClient(there).NodesAsync(request, options));

    public override Task<PlacementResponse> Placement(PlacementRequest request, ServerCallContext context) => calls.AnswerAsync(
        context,
        async (coordinator, cancellation) => JobMessages.Of(await Calls.AskAsync<JobPlacement>(
            coordinator, new Actors.Jobs.Requests.PlacementRequest(JobDocuments.Id(request.Id)), cancellation)),
        (there, options) => new Protocol.Training.TrainingClient(there).PlacementAsync(request, options));

    private static int InRange(string field, int value, int most) => value >= 1 && value <= most
        ? value
        : throw ServiceErrors.Invalid(field, FormattableString.Invariant($"must be 1 … {most} (was {value})"));

    private static JobState StateOf(Protocol.JobState state) => state switch
    {
        Protocol.JobState.Waiting => JobState.Waiting,
        Protocol.JobState.Running => JobState.Running,
        Protocol.JobState.Paused => JobState.Paused,
        Protocol.JobState.Completed => JobState.Completed,
        Protocol.JobState.Failed => JobState.Failed,
        Protocol.JobState.Cancelled => JobState.Cancelled,
        _ => throw ServiceErrors.Invalid("states", FormattableString.Invariant($"must be states of jobs (was {(int)state})")),
    };
}
