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
    // Of a call without a deadline.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    /// <summary>Answers a call.</summary>
    /// <typeparam name="TReply">The answer.</typeparam>
    /// <param name="context">The call.</param>
    /// <param name="here">Answers it where the coordinator is in this process.</param>
    /// <param name="there">Makes the same call elsewhere.</param>
    public async Task<TReply> AnswerAsync<TReply>(
        ServerCallContext context,
        Func<IActorRef, CancellationToken, Task<TReply>> here,
        Func<GrpcChannel, CallOptions, AsyncUnaryCall<TReply>> there)
    {
        using var patience = Patience(context);
        while (true)
        {
            var place = await gate.FindAsync(WasPassedOn(context), patience.Token);
            if (place.Here is { } coordinator)
            {
                return await here(coordinator, patience.Token);
            }

            try
            {
                using var call = there(place.There!, Options(context, patience.Token));
                return await call.ResponseAsync;
            }
            catch (RpcException e) when (IsGone(e) && !patience.IsCancellationRequested)
            {
                // It went while it was called: every call may be made twice.
                await Task.Delay(TimeSpan.FromMilliseconds(200), CancellationToken.None);
            }
            catch (RpcException e)
            {
                throw AsAnswered(e);
            }
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
            using var call = there(place.There!, Options(context, ending.Token));
            await foreach (var reply in call.ResponseStream.ReadAllAsync(ending.Token))
            {
                await replies.WriteAsync(reply, ending.Token);
            }
        }
        catch (Exception e) when (host.ApplicationStopping.IsCancellationRequested && e is OperationCanceledException or RpcException)
        {
            throw ServiceErrors.Unavailable("this node stops: go on after the last event at another");
        }
        catch (RpcException e)
        {
            throw IsGone(e) ? ServiceErrors.Unavailable("the coordinator is gone: go on after the last event") : AsAnswered(e);
        }
    }

    /// <summary>Asks the coordinator.</summary>
    /// <typeparam name="TAnswer">What it answers unless it refuses.</typeparam>
    /// <exception cref="RpcException">It refuses, or does not answer in time.</exception>
    public static async Task<TAnswer> AskAsync<TAnswer>(IActorRef coordinator, IJobRequest request, CancellationToken cancellation)
    {
        try
        {
            return await coordinator.Ask<object>(request, _patience, cancellation) switch
            {
                TAnswer answer => answer,
                RequestRefused refused => throw ServiceErrors.Refused(refused),
                var other => throw new InvalidOperationException($"An answer of type {other.GetType().Name} to {request.GetType().Name}."),
            };
        }
        catch (Exception e) when (e is AskTimeoutException or OperationCanceledException)
        {
            throw ServiceErrors.Unavailable("the coordinator does not answer at present");
        }
    }

    private CallOptions Options(ServerCallContext context, CancellationToken cancellation) => new(
        gate.Headers,
        context.Deadline == DateTime.MaxValue ? null : context.Deadline,
        cancellation);

    // A little less than the deadline, so that the words still arrive.
    private CancellationTokenSource Patience(ServerCallContext context)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.ApplicationStopping);
        var left = context.Deadline == DateTime.MaxValue ? _patience : context.Deadline - DateTime.UtcNow - TimeSpan.FromMilliseconds(100);
        source.CancelAfter(left < TimeSpan.Zero ? TimeSpan.Zero : left < _patience ? left : _patience);
        return source;
    }

    private static bool WasPassedOn(ServerCallContext context) => context.RequestHeaders.Get(CoordinatorGate.PassedOn) is not null;

    private static bool IsGone(RpcException e) => e.StatusCode == StatusCode.Unavailable;

    private static RpcException AsAnswered(RpcException e) => new(new Status(e.StatusCode, e.Status.Detail), e.Trailers);
}
