using Akka.Actor;
using Akka.Configuration;
using Akka.Hosting;
using DistributedBackprop.Actors.Explain;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Running;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Server.Telemetry;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DistributedBackprop.Server.Local;

/// <summary>
/// A node of its own in this process, without a network: runs jobs one after the other, as the layer actors of a
/// cluster would.
/// </summary>
public sealed class LocalTraining : ITrainer
{
    private const string NodeName = "node-1";

    private readonly IHost _host;
    private readonly JobRunner _jobs;
    private readonly RunData _data;
    private readonly NodeStorage? _state;
    private readonly ActorSystem _system;
    private readonly IActorRef _directory;
    private readonly PassObservers _observers;
    private TelemetryExport? _telemetry;

    private LocalTraining(
        IHost host, NodeEquipment equipment, RunData data, PassObservers observers, NodeStorage? state)
    {
        _state = state;
        _host = host;
        _data = data;
        _observers = observers;
        Pool = equipment.Pool;
        _system = host.Services.GetRequiredService<ActorSystem>();
        var node = host.Services.GetRequiredService<IReadOnlyActorRegistry>().Get<NodeActor>();
        _directory = _system.ActorOf(
            StaticDirectory.Props([new NodeInfo(equipment.Description, node, NodePresence.Up)]), "directory");
        var keeper = new JobKeeper(Pool, Storage: state?.Start(_system, Pool, ProgramVersion.Current, NodeName));
        _jobs = new JobRunner(_system.ActorOf(
            CoordinatorActor.Props(_directory, keeper, CoordinatorSingleton.WithoutService), CoordinatorActor.Name))
        {
            Pauses = state is not null,
        };
    }

    /// <summary>Lends all tensors of this node.</summary>
    public TensorPool Pool { get; }

    /// <summary>Starts the node.</summary>
    /// <param name="threads">Threads on which layers compute, ≥ 1.</param>
    /// <param name="cancellation">Gives the start up.</param>
    public static Task<LocalTraining> StartAsync(int threads, CancellationToken cancellation = default) =>
        StartNodeAsync(threads, null, null, cancellation);

    /// <summary>Starts the node with jobs that outlive it: what was ended by this process or with it goes on when it is run again.</summary>
    /// <param name="threads">Threads on which layers compute, ≥ 1.</param>
    /// <param name="stateFolder">Where jobs are kept; null: nowhere.</param>
    /// <param name="telemetry">Where it sends what it measures; null: nowhere.</param>
    /// <param name="cancellation">Gives the start up.</param>
    /// <exception cref="StorageException">The folder cannot be used.</exception>
    public static async Task<LocalTraining> StartAsync(
        int threads, string? stateFolder, TelemetryOptions? telemetry = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        var state = stateFolder is null ? null : await NodeStorage.OpenAsync(new StorageOptions(stateFolder, null), TimeSpan.Zero, cancellation);
        try
        {
            return await StartNodeAsync(threads, state, telemetry, cancellation);
        }
        catch
        {
            state?.Dispose();
            throw;
        }
    }

    private static async Task<LocalTraining> StartNodeAsync(
        int threads, NodeStorage? state, TelemetryOptions? telemetry, CancellationToken cancellation)
    {
        var data = new RunData();
        var observers = new PassObservers();
        var equipment = new NodeEquipment(
            new LoneNode(new NodeDescription(NodeName, threads, null, Environment.ProcessId, "", "")),
            new LayerThreads(threads, TilesOf),
            new TensorPool(),
            data,
            null)
        {
            ObserverOf = observers.Of,
        };
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "backprop" });

        // Signals are the command line's to handle: a job ends in its own way.
        builder.Services.AddSingleton<IHostLifetime, PassiveLifetime>();
        builder.Services.AddAkka("backprop", akka => akka
            .AddHocon(Settings, HoconAddMode.Prepend)
            .AddHocon(state is null ? Config.Empty : JournalPlugin.Configuration(state.Database), HoconAddMode.Append)
            .WithNode(equipment));
        var host = builder.Build();
        await host.StartAsync(cancellation);
        return new LocalTraining(host, equipment, data, observers, state)
        {
            _telemetry = telemetry is null ? null : TelemetryHosting.Observe(host.Services.GetRequiredService<ActorSystem>(), telemetry, NodeName),
        };
    }

    /// <inheritdoc/>
    public async Task<TrainingResult> RunAsync(JobRun run, Action<TrainingEvent> observe, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        using var given = _data.Give(run.Job, run.Data);
        return await _jobs.RunAsync(run, observe, cancellation);
    }

    /// <summary>Watches the layers of a job do one step, after some that they train by themselves.</summary>
    /// <param name="order">What is to be shown.</param>
    /// <param name="cancellation">Gives it up; what runs ends with the node.</param>
    /// <returns><see cref="Explained"/>, <see cref="JobEndsBefore"/>, or <see cref="NotExplained"/>.</returns>
    public async Task<object> ExplainAsync(ExplainOrder order, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(order);
        var given = order.Watched.Prepend(order.Training).Select(run => _data.Give(run.Job, run.Data)).ToList();
        try
        {
            var answer = new TaskCompletionSource<object>(TaskCreationOptions.RunContinuationsAsynchronously);
            var asker = _system.ActorOf(AnswerActor.Props(answer));
            _system.ActorOf(ExplainActor.Props(order, _directory, new JobKeeper(Pool), _observers, asker));
            return await answer.Task.WaitAsync(cancellation);
        }
        finally
        {
            given.ForEach(data => data.Dispose());
        }
    }

    /// <summary>Ends the node.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_telemetry is not null)
        {
            await _telemetry.FinishAsync();
        }

        await _host.StopAsync();
        _telemetry?.Dispose();
        _host.Dispose();
        _state?.Dispose();
    }

    // Standard output is for results: a layer that fails is an event of the job, not a line between them.
    private const string Settings = """
        akka {
          loglevel = off
          stdout-loglevel = off
          log-dead-letters = off
          coordinated-shutdown {
            run-by-clr-shutdown-hook = off
            exit-clr = off
          }
        }
        """;

    internal static ITiles TilesOf(int width) => width == 1 ? SequentialTiles.Instance : new ThreadedTiles(width);
}
