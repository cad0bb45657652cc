using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Akka.Actor;
using Akka.Hosting;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Server.Grpc;
using DistributedBackprop.Server.Health;
using DistributedBackprop.Server.Local;
using DistributedBackprop.Server.Running;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Server.Telemetry;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Server.Cluster;

/// <summary>A node of a cluster in this process: its tensor plane, its actor system and its agent.</summary>
public sealed class ClusterNode : ITrainer
{
    private static readonly TimeSpan _stopDeadline = TimeSpan.FromSeconds(20);

    private readonly IHost _host;
    private readonly NodeLife _life;
    private readonly TaskCompletionSource _up = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _stops;

    private readonly NodePorts _ports;
    private readonly TelemetryExport? _telemetry;
    private readonly NodeStorage? _storage;

    private ClusterNode(
        NodeOptions options, IHost host, NodeLife life, TensorPlane plane, TensorPool pool, NodePorts ports, NodeStorage? storage)
    {
        _ports = ports;
        _telemetry = host.Services.GetService<TelemetryExport>();
        _storage = storage;
        Options = options;
        _host = host;
        _life = life;
        Plane = plane;
        Pool = pool;
        System = host.Services.GetRequiredService<ActorSystem>();
        var registry = host.Services.GetRequiredService<IReadOnlyActorRegistry>();
        Agent = registry.TryGet<NodeActor>(out var agent) ? agent : null;
        Directory = registry.TryGet<ClusterNodeDirectory>(out var directory) ? directory : null;
        Coordinator = registry.TryGet<CoordinatorActor>(out var coordinator) ? coordinator : null;
    }

    /// <summary>How it is set up.</summary>
    public NodeOptions Options { get; }

    /// <summary>Its actors.</summary>
    public ActorSystem System { get; }

    /// <summary>Carries its tensors.</summary>
    public TensorPlane Plane { get; }

    /// <summary>Lends its tensors.</summary>
    public TensorPool Pool { get; }

    /// <summary>The agent of a worker; null on others.</summary>
    public IActorRef? Agent { get; }

    /// <summary>The node directory of a coordinator (it answers <see cref="WatchNodes"/>); null on others.</summary>
    public IActorRef? Directory { get; }

    /// <summary>Where a coordinator hands jobs in (<see cref="SubmitJob"/>); null on others.</summary>
    public IActorRef? Coordinator { get; }

    /// <summary>Where others find it: a seed.</summary>
    public DnsEndPoint Address
    {
        get
        {
            var address = Akka.Cluster.Cluster.Get(System).SelfAddress;
            return new DnsEndPoint(address.Host!, address.Port!.Value);
        }
    }

    /// <summary>Where clients reach its service; null where it has none.</summary>
    public Uri? Service => Options.Service is null
        ? null
        : new UriBuilder(Options.Tls is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps, Options.PublicHost, _ports.Service.Number).Uri;

    /// <summary>Where it answers whether it lives and is ready; null where it does not.</summary>
    public IPEndPoint? Health => Options.Service?.Health is { } health ? new IPEndPoint(health.Address, _ports.Health.Number) : null;

    /// <summary>Completes with the reason, for people, when the node must end: it was refused, or put down.</summary>
    public Task<string> Ended => _life.Ended;

    /// <summary>Opens the ports of a node and begins to join.</summary>
    /// <param name="options">How it is set up.</param>
    /// <param name="logging">Where it writes what happens; null: nowhere.</param>
    /// <param name="cancellation">Gives the start up.</param>
    /// <exception cref="IOException">A port cannot be opened.</exception>
    /// <exception cref="StorageException">What it keeps its jobs in cannot be used.</exception>
    public static async Task<ClusterNode> StartAsync(
        NodeOptions options, Action<ILoggingBuilder>? logging = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var storage = options.Storage is null ? null : await NodeStorage.OpenAsync(options.Storage, options.JoinDeadline, cancellation);
        var pool = new TensorPool();
        var plane = new TensorPlane(new PlaneSettings(options.Name, options.Secret.Bytes) { Tls = options.Tls }, pool);
        var life = new NodeLife(() => Describe(options, plane));
        var ports = new NodePorts();
        IHost? host = null;
        try
        {
            host = Build(options, logging, life, plane, pool, ports, storage);

            // Before the host starts, which would tell of a port in use at length.
            _ = host.Services.GetRequiredService<ActorSystem>();
            await host.StartAsync(cancellation);
            var node = new ClusterNode(options, host, life, plane, pool, ports, storage);
            node.Join();
            return node;
        }
        catch
        {
            host?.Dispose();
            plane.Dispose();
            storage?.Dispose();
            throw;
        }
    }

    /// <summary>Waits until the cluster has taken this node.</summary>
    public Task UpAsync(CancellationToken cancellation) => _up.Task.WaitAsync(cancellation);

    /// <summary>On a coordinator: waits until the node directory shows nodes that fit.</summary>
    /// <param name="fits">Whether they do; called from an actor.</param>
    /// <param name="cancellation">Gives the wait up.</param>
    public async Task<ImmutableArray<NodeInfo>> NodesAsync(
        Func<ImmutableArray<NodeInfo>, bool> fits, CancellationToken cancellation)
    {
        var directory = Directory ?? throw NoCoordinator();
        var found = new TaskCompletionSource<ImmutableArray<NodeInfo>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var watch = System.ActorOf(NodesWatch.Props(directory, fits, found));
        try
        {
            return await found.Task.WaitAsync(cancellation);
        }
        finally
        {
            System.Stop(watch);
        }
    }

    /// <summary>On a coordinator: trains a job to its end on the workers of the cluster, whoever comes and goes.</summary>
    /// <inheritdoc cref="ITrainer.RunAsync"/>
    /// <exception cref="InvalidOperationException">This node is no coordinator.</exception>
    public Task<TrainingResult> RunAsync(JobRun run, Action<TrainingEvent> observe, CancellationToken cancellation = default) =>
        new JobRunner(Coordinator ?? throw NoCoordinator()) { Pauses = _storage is not null }.RunAsync(run, observe, cancellation);

    /// <summary>
    /// Leaves politely: no new work comes, what is here is handed over (at most for
    /// <see cref="NodeOptions.LeaveDeadline"/>), then the node leaves the cluster and stops.
    /// </summary>
    /// <returns>Whether the work was handed over in time.</returns>
    public async Task<bool> LeaveAsync()
    {
        var idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isIdle = true;
        if (Agent is not null)
        {
            System.ActorOf(LeavingActor.Props(Options.Name, _life.Directories, Agent, () => idle.TrySetResult()), "leaving");
            var first = await Task.WhenAny(idle.Task, System.WhenTerminated, Task.Delay(Options.LeaveDeadline));
            isIdle = first == idle.Task;
        }

        await DisposeAsync();
        return isIdle;
    }

    /// <summary>Leaves the cluster, whatever is under way here, and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _stops, 1) != 0)
        {
            return;
        }

        if (_telemetry is not null)
        {
            await _telemetry.FinishAsync();
        }

        using var deadline = new CancellationTokenSource(_stopDeadline);
        try
        {
            await _host.StopAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            // The process ends all the same; the cluster finds out by itself.
        }

        _telemetry?.Dispose();
        _host.Dispose();
        Plane.Dispose();
        _storage?.Dispose();
    }

    private static IHost Build(
        NodeOptions options,
        Action<ILoggingBuilder>? logging,
        NodeLife life,
        TensorPlane plane,
        TensorPool pool,
        NodePorts ports,
        NodeStorage? storage) =>
        new HostBuilder()
            .ConfigureLogging(builder => logging?.Invoke(builder))

            // First: the ports must be known before anybody asks for them.
            .ConfigureWebHost(web =>
            {
                web.UseKestrelCore()
                    .UseKestrelHttpsConfiguration()
                    .Configure(_ => { })
                    .ConfigureServices(services => services
                        .AddTensorPlane(plane, new IPEndPoint(options.Host, options.TensorPort)));
                if (options.Service is not null)
                {
                    web.UseService(options, ports.Service, ports.Health);
                }
            })
            .ConfigureServices(services => services
                .AddTelemetry(options, plane)
                .AddDatabaseHealth(storage?.Database)

                // Signals are the command line's to handle.
                .AddSingleton<IHostLifetime, PassiveLifetime>()
                .AddAkka(options.Secret.SystemName, akka => Configure(akka, options, life, plane, pool, ports, storage)))
            .Build();

    private static void Configure(
        AkkaConfigurationBuilder akka,
        NodeOptions options,
        NodeLife life,
        TensorPlane plane,
        TensorPool pool,
        NodePorts ports,
        NodeStorage? storage)
    {
        akka.ConfigureLoggers(loggers =>
            {
                loggers.ClearLoggers();
                loggers.AddLoggerFactory();
            })
            .AddHocon(ClusterSettings.Hocon(options), HoconAddMode.Prepend);
        if (options.Tls is not null)
        {
            akka.AddControlTls(options.Tls);
        }

        if (options.Service is not null)
        {
            akka.AddServiceDoor(options, ports.Service);
        }

        akka.WithActors((system, _) => system.ActorOf(HomeActor.Props(SeedsOf(options, system), life), HomeActor.Name));
        akka.AddJobObservers(options);
        if (options.IsWorker)
        {
            akka.WithNode(new NodeEquipment(
                life,
                new LayerThreads(options.Threads, LocalTraining.TilesOf),
                pool,
                new FileData(options.AllDataRoots),
                plane));
        }

        if (options.IsCoordinator)
        {
            akka.AddCoordinator(options, new JobKeeper(pool, plane, life), storage);
        }
    }

    private static NodeDescription Describe(NodeOptions options, TensorPlane plane) => new(
        options.Name,
        options.Threads,
        new DnsEndPoint(
            options.PublicHost,
            plane.EndPoint!.Port,
            IPAddress.TryParse(options.PublicHost, out var address) ? address.AddressFamily : default),
        Environment.ProcessId,
        options.Version,
        ClusterSettings.Digest(options.Tls is not null));

    private static ImmutableArray<Address> SeedsOf(NodeOptions options, ActorSystem system) =>
    [
        .. options.Seeds.Select(seed => new Address(
            Akka.Cluster.Cluster.Get(system).SelfAddress.Protocol, system.Name, seed.Host, seed.Port)),
    ];

    private InvalidOperationException NoCoordinator() => new($"Node '{Options.Name}' is no coordinator.");

    private void Join()
    {
        var cluster = Akka.Cluster.Cluster.Get(System);
        cluster.RegisterOnMemberUp(() => _up.TrySetResult());
        cluster.RegisterOnMemberRemoved(() => _life.OnRefused("the cluster has put this node down, or lost it"));
        if (Options.Seeds.IsEmpty)
        {
            cluster.Join(cluster.SelfAddress);
        }
        else
        {
            cluster.JoinSeedNodes(SeedsOf(Options, System));
        }
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Options.Name} at {Address.Host}:{Address.Port}, tensors at port {Plane.EndPoint?.Port}{(Service is { } service ? $", service at {service}" : "")}");
}
