using System.Net;
using DistributedBackprop.Protocol;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Grpc;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Training.Jobs.Table;
using Grpc.Core;
using Grpc.Net.Client;

namespace DistributedBackprop.Server.Tests.Grpc;

/// <summary>A node of one thread that serves, and a caller that knows its token.</summary>
public sealed class ServiceNode : IAsyncLifetime
{
    /// <summary>How many jobs may wait.</summary>
    public const int Open = 6;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    private readonly List<GrpcChannel> _channels = [];

    /// <summary>Where it keeps its jobs; null: in memory.</summary>
    public string? Folder { get; init; }

    /// <summary>The version of its program; null: the present one.</summary>
    public string? Version { get; init; }

    public AccessToken Token { get; } = AccessToken.Random();

    public ClusterNode Node { get; private set; } = null!;

    public Protocol.Training.TrainingClient Training { get; private set; } = null!;

    public Models.ModelsClient Models { get; private set; } = null!;

    /// <summary>The options of a node that serves.</summary>
    public static NodeOptions Options(string name, NodeSecret secret, AccessToken token) => new(name, secret)
    {
        Roles = [NodeOptions.Coordinator, NodeOptions.Worker],
        Threads = 1,
        IsLast = true,
        Service = new ServiceOptions(new IPEndPoint(IPAddress.Loopback, 0), token)
        {
            Table = new JobTableLimits(Open),
            Jobs = new JobLimits(Parameters: 1_000_000, Steps: 10_000_000),
        },
    };

    /// <summary>A small job.</summary>
    public static string Xor(int epochs = 30, int seed = 1) => $$"""
        name: xor
        seed: {{seed}}
        data: { format: xor, train: { examples: 400 }, test: { examples: 200 }, noise: 0.1 }
        model: { input: [2], layers: [ { dense: { units: 8, activation: tanh } }, { dense: { units: 1 } } ] }
        loss: binaryCrossEntropy
        optimizer: { adam: { learningRate: 0.05 } }
        training: { batchSize: 32, epochs: {{epochs}} }
        """;

    /// <summary>How calls are made, with the token and some time.</summary>
    public CallOptions Call(CancellationToken cancellation = default) => Call(Token, cancellation);

    /// <inheritdoc cref="Call(CancellationToken)"/>
    public static CallOptions Call(AccessToken token, CancellationToken cancellation = default) =>
        new(new Metadata { { "authorization", token.Bearer } }, DateTime.UtcNow + _patience, cancellation);

    public GrpcChannel Connect(Uri address, SocketsHttpHandler? handler = null)
    {
        var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            MaxSendMessageSize = null,
            MaxReceiveMessageSize = null,
        });
        _channels.Add(channel);
        return channel;
    }

    public async Task InitializeAsync()
    {
        var options = Options("one", NodeSecret.Random(), Token) with { Storage = Folder is null ? null : new StorageOptions(Folder, null) };
        Node = await ClusterNode.StartAsync(Version is null ? options : options with { Version = Version });
        await Node.UpAsync(new CancellationTokenSource(_patience).Token);
        var channel = Connect(Node.Service!);
        Training = new Protocol.Training.TrainingClient(channel);
        Models = new Models.ModelsClient(channel);
    }

    /// <summary>Hands a job in.</summary>
    public async Task<Job> SubmitAsync(string id, string document) =>
        await Training.SubmitAsync(new SubmitRequest { Id = id, Document = document }, Call());

    /// <summary>Trains a job to its end.</summary>
    public async Task<List<Event>> TrainAsync(string id, string document)
    {
        await SubmitAsync(id, document);
        return await WatchAsync(id);
    }

    /// <summary>All that happens to a job.</summary>
    public async Task<List<Event>> WatchAsync(string id, long after = 0, int every = 1)
    {
        using var call = Training.Watch(new WatchRequest { Id = id, AfterEvent = after, ProgressEvery = every }, Call());
        var events = new List<Event>();
        await foreach (var happened in call.ResponseStream.ReadAllAsync())
        {
            events.Add(happened);
        }

        return events;
    }

    /// <summary>Waits for an event of a job.</summary>
    public async Task UntilAsync(string id, Func<Event, bool> fits)
    {
        using var call = Training.Watch(new WatchRequest { Id = id, ProgressEvery = 1 }, Call());
        await foreach (var happened in call.ResponseStream.ReadAllAsync())
        {
            if (fits(happened))
            {
                return;
            }
        }

        throw new InvalidOperationException($"{id} ended before.");
    }

    public async Task DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        await Node.DisposeAsync();
    }
}
