using System.Diagnostics;
using System.Net;
using DistributedBackprop.Protocol;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Grpc;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;

namespace DistributedBackprop.Server.Tests.Grpc;

/// <summary>
/// Calls that a node has taken and cannot answer yet, because its cluster has no coordinator: cancelled, past their deadline,
/// and answered when there is one again.
/// </summary>
public sealed class HeldCallsTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _overdue = new(_patience);
    private readonly CallLog _log = new();
    private readonly NodeSecret _secret = NodeSecret.Random();
    private readonly AccessToken _token = AccessToken.Random();
    private ClusterNode _worker = null!;
    private GrpcChannel _channel = null!;

    public async Task InitializeAsync()
    {
        var head = await ClusterNode.StartAsync(ServiceNode.Options("head", _secret, _token), cancellation: _overdue.Token);
        _worker = await ClusterNode.StartAsync(
            ServiceNode.Options("worker", _secret, _token) with { Roles = [NodeOptions.Worker], Seeds = [head.Address] }, _log.AddTo, _overdue.Token);
        await _worker.UpAsync(_overdue.Token);
        await head.DisposeAsync();
        _channel = GrpcChannel.ForAddress(_worker.Service!);
    }

    public async Task DisposeAsync()
    {
        _channel.Dispose();
        await _worker.DisposeAsync();
    }

    public void Dispose()
    {
        _overdue.Dispose();
        ((IDisposable)_log).Dispose();
    }

    [Fact]
    public async Task Every_call_that_is_cancelled_while_the_node_holds_it_ends_at_both_sides()
    {
        foreach (var call in EveryCallTests.CallsToTheCoordinator)
        {
            using var cancellation = new CancellationTokenSource();
            var made = EveryCallTests.MakeAsync(call, _channel, ServiceNode.Call(_token, cancellation.Token));
            await _log.BegunAsync(call).WaitAsync(_patience);
            await cancellation.CancelAsync();
            (await Should.ThrowAsync<RpcException>(() => made)).StatusCode.ShouldBe(StatusCode.Cancelled, call);

            // Nobody is waited for any more.
            await _log.EndedAsync(call).WaitAsync(_patience);
        }
    }

    [Fact]
    public async Task Every_call_is_held_until_its_deadline_and_told_that_it_may_be_made_again()
    {
        var deadline = TimeSpan.FromSeconds(1);
        var made = EveryCallTests.CallsToTheCoordinator.Select(async call =>
        {
            var began = Stopwatch.StartNew();
            var failure = await Should.ThrowAsync<RpcException>(() => EveryCallTests.MakeAsync(
                call, _channel, ServiceNode.Call(_token).WithDeadline(DateTime.UtcNow + deadline)));
            if (failure.StatusCode == StatusCode.Unavailable)
            {
                failure.GetRpcStatus()!.GetDetail<RetryInfo>().ShouldNotBeNull(call);
            }
            else
            {
                // The words come a moment before the deadline, or, on a busy machine, not any more.
                failure.StatusCode.ShouldBe(StatusCode.DeadlineExceeded, call);
            }

            began.Elapsed.ShouldBeGreaterThan(deadline / 2, call);
            await _log.EndedAsync(call).WaitAsync(_patience);
        });
        await Task.WhenAll(made);
    }

    [Fact]
    public async Task A_call_is_held_over_a_failover_and_then_answered()
    {
        // A job of nobody: the answer can come only of a coordinator.
        var held = Should.ThrowAsync<RpcException>(() => new Protocol.Training.TrainingClient(_channel)
            .GetAsync(new GetRequest { Id = "nobody" }, ServiceNode.Call(_token)).ResponseAsync);
        await _log.BegunAsync("Get").WaitAsync(_patience);
        await using var next = await ClusterNode.StartAsync(
            ServiceNode.Options("next", _secret, _token) with { Seeds = [_worker.Address] }, cancellation: _overdue.Token);
        (await held.WaitAsync(_patience)).StatusCode.ShouldBe(StatusCode.NotFound);
    }

    [Fact]
    public async Task A_client_with_a_retry_policy_gets_its_answer_though_nobody_has_answered_at_first()
    {
        var retries = new MethodConfig
        {
            Names = { MethodName.Default },
            RetryPolicy = new RetryPolicy
            {
                MaxAttempts = 5,
                InitialBackoff = TimeSpan.FromMilliseconds(100),
                MaxBackoff = TimeSpan.FromSeconds(5),
                BackoffMultiplier = 3,
                RetryableStatusCodes = { StatusCode.Unavailable },
            },
        };
        using var first = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        first.Start();
        var address = new Uri($"http://{first.LocalEndpoint}");
        using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            ServiceConfig = new ServiceConfig { MethodConfigs = { retries } },
        });

        // Whoever answers first closes the connection; then a node serves there.
        var nodes = new Protocol.Training.TrainingClient(channel).NodesAsync(new NodesRequest(), ServiceNode.Call(_token));
        (await first.AcceptSocketAsync(_overdue.Token)).Dispose();
        first.Stop();
        var options = ServiceNode.Options("late", NodeSecret.Random(), _token);
        await using var late = await ClusterNode.StartAsync(
            options with { Service = options.Service! with { EndPoint = new IPEndPoint(IPAddress.Loopback, address.Port) } },
            cancellation: _overdue.Token);
        (await nodes.ResponseAsync.WaitAsync(_patience)).Nodes.ShouldHaveSingleItem().Name.ShouldBe("late");
    }
}
