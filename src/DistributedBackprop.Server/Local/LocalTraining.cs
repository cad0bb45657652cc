using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Hosting;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DistributedBackprop.Server.Local;

/// <summary>
/// A node of its own in this process, without a network: runs jobs one after the other, as the layer actors of a
/// cluster would.
/// </summary>
public sealed class LocalTraining : IAsyncDisposable
{
    // How many steps whoever watches may leave unanswered: see Watched.
    private const long AnswerEvery = 256;

    private const string NodeName = "node-1";
    private const string KeeperName = "coordinator";

    private readonly IHost _host;
    private readonly ActorSystem _system;
    private readonly IActorRef _directory;
    private readonly RunData _data;

    private LocalTraining(IHost host, NodeEquipment equipment, RunData data)
    {
        _host = host;
        _data = data;
        Pool = equipment.Pool;
        _system = host.Services.GetRequiredService<ActorSystem>();
        var node = host.Services.GetRequiredService<IReadOnlyActorRegistry>().Get<NodeActor>();
        _directory = _system.ActorOf(
            StaticDirectory.Props([new NodeInfo(equipment.Description, node, NodePresence.Up)]), "directory");
    }

    /// <summary>Lends all tensors of this node.</summary>
    public TensorPool Pool { get; }

    /// <summary>Starts the node.</summary>
    /// <param name="threads">Threads on which layers compute, ≥ 1.</param>
    /// <param name="cancellation">Gives the start up.</param>
    public static async Task<LocalTraining> StartAsync(int threads, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        var data = new RunData();
        var equipment = new NodeEquipment(
            new LoneNode(new NodeDescription(NodeName, threads, null, Environment.ProcessId, "", "")),
            new LayerThreads(threads, TilesOf),
            new TensorPool(),
            data,
            null);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "backprop" });

        // Signals are the command line's to handle: a job ends in its own way.
        builder.Services.AddSingleton<IHostLifetime, PassiveLifetime>();
        builder.Services.AddAkka("backprop", akka => akka
            .AddHocon(Settings, HoconAddMode.Prepend)
            .WithNode(equipment));
        var host = builder.Build();
        await host.StartAsync(cancellation);
        return new LocalTraining(host, equipment, data);
    }

    /// <summary>Trains a job to its end.</summary>
    /// <param name="run">The job.</param>
    /// <param name="observe">Is told every event but the last, in order.</param>
    /// <param name="cancellation">Ends the job as cancelled; a training step under way is finished first.</param>
    /// <returns>The last event, and the weights where the job completed; the caller owns it.</returns>
    public async Task<TrainingResult> RunAsync(JobRun run, Action<TrainingEvent> observe, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(observe);
        using var given = _data.Give(run.Job, run.Data);
        var events = Channel.CreateUnbounded<object>(new UnboundedChannelOptions { SingleReader = true });
        var watcher = _system.ActorOf(WatcherActor.Props(run, _directory, new JobKeeper(KeeperName, Pool), events.Writer));
        await using var registration = cancellation.Register(() => watcher.Tell(new CancelJob()));
        Exception? failure = null;
        await foreach (var message in events.Reader.ReadAllAsync(CancellationToken.None))
        {
            switch (message)
            {
                case JobEvent { Event: var happened } when failure is null:
                    failure = Observe(observe, happened);
                    if (failure is not null)
                    {
                        // Nobody watches any more: the job must not go on alone, nor keep its layers.
                        watcher.Tell(new CancelJob());
                    }
                    else if (happened is StepDone step && step.Step % AnswerEvery == 0)
                    {
                        watcher.Tell(new Watched(step.Step));
                    }

                    break;
                case JobOver over:
                    _system.Stop(watcher);
                    var result = new TrainingResult(over.Event, run.Graph, over.Parameters, over.Generations);
                    if (failure is not null)
                    {
                        result.Dispose();
                        ExceptionDispatchInfo.Throw(failure);
                    }

                    return result;
            }
        }

        throw new InvalidOperationException("The job's events ended before the job.");
    }

    private static Exception? Observe(Action<TrainingEvent> observe, TrainingEvent happened)
    {
        try
        {
            observe(happened);
            return null;
        }
#pragma warning disable CA1031 // It is thrown again once the job has ended.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e;
        }
    }

    /// <summary>Ends the node.</summary>
    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
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
