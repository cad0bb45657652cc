using Akka.Actor;
using DistributedBackprop.Actors.Jobs.Requests;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Hosting;
using Status = Grpc.Core.Status;

namespace DistributedBackprop.Server.Grpc;

/// <summary>Brings calls to the coordinator, in this process or over another node's service.</summary>
/// <param name="gate">Knows where it is.</param>
/// <param name="host">Says when the node stops: nobody is to be waited for then.</param>
internal sealed class Calls(CoordinatorGate gate, IHostApplicationLifetime host)
{
    // gRPC's own count of the attempts that a client has made by its retry policy.
    private const string AttemptsBefore = "grpc-previous-rpc-attempts";

    // Of a call without a deadline.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    // So long a coordinator may take to answer before it is asked anew: what was asked while it moved is lost. A little longer
    // than those who ask for events wait for the next ones (JobRecordActor).
    private static readonly TimeSpan _answerWithin = TimeSpan.FromSeconds(7);
    private const int AsksOfStream = 4;
    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(200);

    // The most that a timer takes; whoever waits for longer asks again.
    private static readonly TimeSpan _longest = TimeSpan.FromDays(1);

    // A little less than the deadline, so that the words still arrive.
    private static readonly TimeSpan _wordsArrive = TimeSpan.FromMilliseconds(100);

    /// <summary>Answers a call; it waits for a coordinator as long as its deadline allows.</summary>
    /// <typeparam name="TReply">The answer.</typeparam>
    /// <param name="context">The call.</param>
    /// <param name="here">Answers it where the coordinator is in this process.</param>
    /// <param name="there">Makes the same call elsewhere.</param>
    public Task<TReply> AnswerAsync<TReply>(
        ServerCallContext context,
        Func<IActorRef, CancellationToken, Task<TReply>> here,
        Func<GrpcChannel, CallOptions, AsyncUnaryCall<TReply>> there) =>
        AnswerAsync(context, (coordinator, _, cancellation) => here(coordinator, cancellation), there);

    /// <inheritdoc cref="AnswerAsync{TReply}(ServerCallContext, Func{IActorRef, CancellationToken, Task{TReply}}, Func{GrpcChannel, CallOptions, AsyncUnaryCall{TReply}})"/>
    /// <param name="context">The call.</param>
    /// <param name="here">Answers it where the coordinator is in this process; is told whether it may have been carried out already.</param>
    /// <param name="there">Makes the same call elsewhere.</param>
    public async Task<TReply> AnswerAsync<TReply>(
        ServerCallContext context,
        Func<IActorRef, bool, CancellationToken, Task<TReply>> here,
        Func<GrpcChannel, CallOptions, AsyncUnaryCall<TReply>> there)
    {
        using var patience = Patience(context);
        var isRepeated = IsRepeated(context);
        try
        {
            while (true)
            {
                var place = await gate.FindAsync(WasPassedOn(context), patience.Token);
                try
                {
                    if (place.Here is { } coordinator)
                    {
                        return await here(coordinator, isRepeated, patience.Token);
                    }

                    using var call = there(place.There!, Options(context, isRepeated, patience.Token));
                    return await call.ResponseAsync;
                }
                catch (NoAnswerException)
                {
                    // Lost on the way to a coordinator that has moved meanwhile, or that is slow.
                }
                catch (RpcException e) when (place.There is not null && Pings.IsBroken(e))
                {
                    // It went while it was called: every call may be made twice.
                    await Task.Delay(_again, patience.Token);
                }
                catch (RpcException e) when (place.There is not null && e.StatusCode != StatusCode.Cancelled)
                {
                    throw AsAnswered(e);
                }

                isRepeated = true;
            }
        }
        catch (Exception e) when (IsGivenUp(e))
        {
            throw GivenUp(context, "the coordinator does not answer at present");
        }
    }

    /// <summary>Answers a call with a stream.</summary>
    /// <typeparam name="TReply">Its messages.</typeparam>
    /// <param name="context">The call.</param>
    /// <param name="replies">Takes the messages, each when the one before has left.</param>
    /// <param name="here">Answers it where the coordinator is in this process.</param>
    /// <param name="there">Makes the same call elsewhere.</param>
    public async Task StreamAsync<TReply>(
        ServerCallContext context,
        IServerStreamWriter<TReply> replies,
        Func<IActorRef, CancellationToken, Task> here,
        Func<GrpcChannel, CallOptions, AsyncServerStreamingCall<TReply>> there)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.ApplicationStopping);
        try
        {
            CoordinatorPlace place;
            using (var patience = Patience(context))
            {
                place = await gate.FindAsync(WasPassedOn(context), patience.Token);
            }

            if (place.Here is { } coordinator)
            {
                await here(coordinator, ending.Token);
                return;
            }

            try
            {
                using var call = there(place.There!, Options(context, isRepeated: false, ending.Token));
                if ((await call.ResponseHeadersAsync).Get(ServiceHosting.Watching) is not null)
                {
                    await context.WriteResponseHeadersAsync(WatchingHeaders);
                }

                await foreach (var reply in call.ResponseStream.ReadAllAsync(ending.Token))
                {
                    await replies.WriteAsync(reply, ending.Token);
                }
            }
            catch (RpcException e) when (e.StatusCode != StatusCode.Cancelled)
            {
                throw Pings.IsBroken(e) ? ServiceErrors.Unavailable("the coordinator is gone: go on after the last event") : AsAnswered(e);
            }
        }
        catch (Exception e) when (IsGivenUp(e) || (ending.IsCancellationRequested && e is InvalidOperationException))
        {
            // Also what writing into a stream that has ended says.
            throw GivenUp(context, host.ApplicationStopping.IsCancellationRequested
                ? "this node stops: go on after the last event at another"
                : "the coordinator does not answer at present: go on after the last event");
        }
    }

    /// <summary>The headers of a stream of events: see <see cref="ServiceHosting.Watching"/>.</summary>
    public static Metadata WatchingHeaders => new() { { ServiceHosting.Watching, "1" } };

    /// <summary>Asks the coordinator.</summary>
    /// <typeparam name="TAnswer">What it answers unless it refuses.</typeparam>
    /// <exception cref="RpcException">It refuses.</exception>
    /// <exception cref="NoAnswerException">It does not answer in time.</exception>
    /// <exception cref="OperationCanceledException">Nobody waits for the answer any more.</exception>
    public static async Task<TAnswer> AskAsync<TAnswer>(IActorRef coordinator, IJobRequest request, CancellationToken cancellation)
    {
        try
        {
            return await coordinator.Ask<object>(request, _answerWithin, cancellation) switch
            {
                TAnswer answer => answer,
                RequestRefused refused => throw ServiceErrors.Refused(refused),
                var other => throw new InvalidOperationException($"An answer of type {other.GetType().Name} to {request.GetType().Name}."),
            };
        }
        catch (AskTimeoutException)
        {
            throw new NoAnswerException();
        }
    }

    /// <summary>Asks the coordinator, and again where it does not answer: a stream that has begun cannot be looked for anew.</summary>
    /// <inheritdoc cref="AskAsync"/>
    public static async Task<TAnswer> AskAgainAsync<TAnswer>(IActorRef coordinator, IJobRequest request, CancellationToken cancellation)
    {
        for (var asked = 1; ; asked++)
        {
            try
            {
                return await AskAsync<TAnswer>(coordinator, request, cancellation);
            }
            catch (NoAnswerException) when (asked < AsksOfStream)
            {
                // It was lost, or is late: all that streams ask may be asked twice.
            }
        }
    }

    private CallOptions Options(ServerCallContext context, bool isRepeated, CancellationToken cancellation) => new(
        gate.Headers(isRepeated),
        context.Deadline == DateTime.MaxValue ? null : context.Deadline,
        cancellation);

    private CancellationTokenSource Patience(ServerCallContext context)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.ApplicationStopping);
        var left = context.Deadline == DateTime.MaxValue ? _patience : context.Deadline - DateTime.UtcNow - _wordsArrive;
        source.CancelAfter(left < TimeSpan.Zero ? TimeSpan.Zero : left < _longest ? left : _longest);
        return source;
    }

    // Why nobody waits for the answer any more, as its caller has to hear it.
    private RpcException GivenUp(ServerCallContext context, string words)
    {
        if (host.ApplicationStopping.IsCancellationRequested)
        {
            return ServiceErrors.Unavailable(words);
        }

        if (context.Deadline <= DateTime.UtcNow)
        {
            return new RpcException(new Status(StatusCode.DeadlineExceeded, "the call's deadline has passed"));
        }

        return context.CancellationToken.IsCancellationRequested
            ? new RpcException(new Status(StatusCode.Cancelled, "the caller has given the call up"))
            : ServiceErrors.Unavailable(words);
    }

    private static bool IsGivenUp(Exception e) =>
        e is OperationCanceledException or NoAnswerException or RpcException { StatusCode: StatusCode.Cancelled };

    private static bool IsRepeated(ServerCallContext context) =>
        context.RequestHeaders.Get(AttemptsBefore) is not null || context.RequestHeaders.Get(CoordinatorGate.Repeated) is not null;

    private static bool WasPassedOn(ServerCallContext context) => context.RequestHeaders.Get(CoordinatorGate.PassedOn) is not null;

    private static RpcException AsAnswered(RpcException e) => new(new Status(e.StatusCode, e.Status.Detail), e.Trailers);
}
