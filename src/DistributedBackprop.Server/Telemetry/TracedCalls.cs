using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace DistributedBackprop.Server.Telemetry;

/// <summary>A span and a measurement for each call of the service; the caller's trace goes on in it.</summary>
internal sealed class TracedCalls : Interceptor
{
    private const string ParentHeader = "traceparent";
    private const string StateHeader = "tracestate";

    private readonly ActivitySource _traces;
    private readonly Histogram<double> _seconds;

    public TracedCalls(TelemetryExport telemetry)
    {
        _traces = telemetry.Traces;
        _seconds = telemetry.Meter.CreateHistogram<double>(
            Measures.Calls.Name,
            Measures.Calls.Unit,
            Measures.Calls.Description,
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60] });
    }

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        TraceAsync(context, () => continuation(request, context));

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        TraceAsync(context, () => continuation(requestStream, context));

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        TraceAsync(context, async () =>
        {
            await continuation(request, responseStream, context);
            return true;
        });

    private async Task<T> TraceAsync<T>(ServerCallContext context, Func<Task<T>> call)
    {
        var name = context.Method.TrimStart('/');
        var since = Stopwatch.GetTimestamp();
        ActivityContext.TryParse(
            context.RequestHeaders.GetValue(ParentHeader), context.RequestHeaders.GetValue(StateHeader), isRemote: true, out var parent);

        // The web host has an activity of its own, which is not recorded: below it nothing would be.
        Activity.Current = null;
        using var span = _traces.StartActivity(name, ActivityKind.Server, parent);
        span?.SetTag("rpc.system.name", "grpc").SetTag("rpc.method", name);
        var status = StatusCode.OK;
        try
        {
            return await call();
        }
        catch (Exception e)
        {
            status = (e as RpcException)?.StatusCode ?? (e is OperationCanceledException ? StatusCode.Cancelled : StatusCode.Unknown);
            span?.SetStatus(ActivityStatusCode.Error, (e as RpcException)?.Status.Detail ?? e.GetType().Name);
            throw;
        }
        finally
        {
            span?.SetTag("rpc.response.status_code", status.ToString());
            _seconds.Record(
                Stopwatch.GetElapsedTime(since).TotalSeconds,
                KeyValuePair.Create("rpc.method", (object?)name),
                KeyValuePair.Create("rpc.response.status_code", (object?)status.ToString()));
        }
    }
}
