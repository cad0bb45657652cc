using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using DistributedBackprop.Protocol;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Grpc;
using Grpc.Core;
using Grpc.Net.Client;

namespace DistributedBackprop.Server.Tests.Grpc;

/// <summary>Calls to nodes that do not coordinate, and calls over TLS.</summary>
public sealed class ManyNodesTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_call_to_any_node_is_answered_by_the_coordinator()
    {
        using var overdue = new CancellationTokenSource(_patience);
        var secret = NodeSecret.Random();

        // Each has a token of its own: nodes know one another by what they share.
        var (token, other) = (AccessToken.Random(), AccessToken.Random());
        await using var head = await ClusterNode.StartAsync(ServiceNode.Options("head", secret, token), cancellation: overdue.Token);
        await using var worker = await ClusterNode.StartAsync(
            ServiceNode.Options("worker", secret, other) with { Roles = [NodeOptions.Worker], Seeds = [head.Address] },
            cancellation: overdue.Token);
        await head.UpAsync(overdue.Token);
        await worker.UpAsync(overdue.Token);
        using var channel = GrpcChannel.ForAddress(worker.Service!);
        var training = new Protocol.Training.TrainingClient(channel);
        var call = ServiceNode.Call(other, overdue.Token);

        await training.SubmitAsync(new SubmitRequest { Id = "passed-on", Document = ServiceNode.Xor(2) }, call);
        using var watch = training.Watch(new WatchRequest { Id = "passed-on" }, call);
        Event? last = null;
        await foreach (var happened in watch.ResponseStream.ReadAllAsync(overdue.Token))
        {
            last = happened;
        }

        last!.Completed.ShouldNotBeNull();
        var nodes = await training.NodesAsync(new NodesRequest(), call);
        nodes.Nodes.Select(node => (node.Name, node.Coordinates)).ShouldBe([("head", true), ("worker", false)]);
        (await new Models.ModelsClient(channel).PredictAsync(
            new PredictRequest { Id = "passed-on", Features = { 0, 1 } }, call)).Examples.ShouldBe(1);

        // What the coordinator refuses comes through with its details.
        var refused = await Should.ThrowAsync<RpcException>(() => training.GetAsync(new GetRequest { Id = "nobody" }, call).ResponseAsync);
        refused.StatusCode.ShouldBe(StatusCode.NotFound);
        refused.GetRpcStatus().ShouldNotBeNull();

        // The token of the one is not that of the other.
        (await Should.ThrowAsync<RpcException>(() => training.NodesAsync(new NodesRequest(), ServiceNode.Call(token, overdue.Token)).ResponseAsync))
            .StatusCode.ShouldBe(StatusCode.Unauthenticated);
    }

    [Fact]
    public async Task A_node_without_a_coordinator_says_so_within_the_deadline()
    {
        using var overdue = new CancellationTokenSource(_patience);
        var secret = NodeSecret.Random();
        var token = AccessToken.Random();
        var head = await ClusterNode.StartAsync(ServiceNode.Options("head", secret, token), cancellation: overdue.Token);
        await using var worker = await ClusterNode.StartAsync(
            ServiceNode.Options("worker", secret, token) with { Roles = [NodeOptions.Worker], Seeds = [head.Address] },
            cancellation: overdue.Token);
        await worker.UpAsync(overdue.Token);
        await head.DisposeAsync();
        using var channel = GrpcChannel.ForAddress(worker.Service!);
        var call = ServiceNode.Call(token, overdue.Token).WithDeadline(DateTime.UtcNow.AddSeconds(2));
        var failure = await Should.ThrowAsync<RpcException>(
            () => new Protocol.Training.TrainingClient(channel).GetAsync(new GetRequest { Id = "any" }, call).ResponseAsync);
        failure.StatusCode.ShouldBe(StatusCode.Unavailable);
        failure.GetRpcStatus()!.GetDetail<Google.Rpc.RetryInfo>().ShouldNotBeNull();
    }

    [Fact]
    public async Task Over_TLS_both_sides_show_certificates_of_the_authority()
    {
        using var overdue = new CancellationTokenSource(_patience);
        var folder = Directory.CreateTempSubdirectory("backprop-").FullName;
        try
        {
            DevelopmentCertificates.Write(folder, ["node", "client"], TimeSpan.FromDays(1));
            var authority = Path.Combine(folder, DevelopmentCertificates.AuthorityFile);
            var files = new TlsFiles(Path.Combine(folder, "node.pem"), null, authority);
            var token = AccessToken.Random();
            var options = ServiceNode.Options("one", NodeSecret.Random(), token);
            await using var node = await ClusterNode.StartAsync(
                options with { Tls = files.Load(), TlsFiles = files, Service = options.Service! with { AsksForCertificates = true } },
                cancellation: overdue.Token);
            await node.UpAsync(overdue.Token);
            node.Service!.Scheme.ShouldBe("https");
            using var known = Connect(node.Service, authority, Path.Combine(folder, "client.pem"));
            (await new Protocol.Training.TrainingClient(known).NodesAsync(new NodesRequest(), ServiceNode.Call(token, overdue.Token)))
                .Nodes.Count.ShouldBe(1);
            using var unknown = Connect(node.Service, authority, null);
            (await Should.ThrowAsync<RpcException>(() => new Protocol.Training.TrainingClient(unknown)
                .NodesAsync(new NodesRequest(), ServiceNode.Call(token, overdue.Token)).ResponseAsync)).StatusCode.ShouldBe(StatusCode.Unavailable);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static GrpcChannel Connect(Uri address, string authority, string? certificate)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(authority);
        var tls = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        if (certificate is not null)
        {
            tls.ClientCertificates = [X509Certificate2.CreateFromPemFile(certificate)];
        }

        return GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { SslOptions = tls }, DisposeHttpClient = true });
    }
}
