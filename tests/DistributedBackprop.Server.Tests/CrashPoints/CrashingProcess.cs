using Akka.Actor;
using Akka.Hosting;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Local;
using DistributedBackprop.Server.Running;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Training.Tensors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DistributedBackprop.Server.Tests.CrashPoints;

/// <summary>A process that trains a job, and dies as planned: its actors, with a journal and a store that outlive them.</summary>
internal sealed class CrashingProcess : IAsyncDisposable
{
    /// <summary>Few: a job of thirty steps comes to several summaries.</summary>
    public const int SummaryEvery = 4;

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);
    private static int _number;

    private readonly IHost _host;
    private readonly string _name;
    private readonly RunData _data = new();
    private readonly TensorPool _pool = new();

    private CrashingProcess(JobDatabase states, CrashPlan plan)
    {
        _name = $"crashing-{Interlocked.Increment(ref _number)}";
        plan.Rule(_name);
        var equipment = new NodeEquipment(
            new LoneNode(new NodeDescription("node-1", 1, null, Environment.ProcessId, "", "")),
            new LayerThreads(1, LocalTraining.TilesOf),
            _pool,
            _data,
            null);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddAkka(_name, akka => akka
            .AddHocon(CrashPlan.Configuration(states), HoconAddMode.Prepend)
            .WithNode(equipment));
        _host = builder.Build();
        _host.Start();
        System = _host.Services.GetRequiredService<ActorSystem>();
        var node = _host.Services.GetRequiredService<IReadOnlyActorRegistry>().Get<NodeActor>();
        var directory = System.ActorOf(
            StaticDirectory.Props([new NodeInfo(equipment.Description, node, NodePresence.Up)]), "directory");
        var store = System.ActorOf(CheckpointStoreActor.Props(states, _pool));
        var storage = new JobStorage(System.ActorOf(Props.Create(() => new CrashingStore(store, plan))), "version", _name) { SummaryEvery = SummaryEvery };
        Coordinator = System.ActorOf(CoordinatorActor.Props(directory, new JobKeeper(_pool, Storage: storage), CoordinatorSingleton.WithoutService));
    }

    private ActorSystem System { get; }

    private IActorRef Coordinator { get; }

    /// <summary>Starts it, and a job in it; waits for the end of either.</summary>
    /// <returns>The job's last word; null where the process died first.</returns>
    public static async Task<TrainingResult?> RunAsync(JobDatabase states, CrashPlan plan, JobRun run, bool pauses = false)
    {
        await using var process = new CrashingProcess(states, plan);
        using var given = process._data.Give(run.Job, run.Data);
        var over = new JobRunner(process.Coordinator) { Pauses = true }.RunAsync(run, _ => { }, new CancellationToken(pauses));
        return await Task.WhenAny(over, plan.Crashed).WaitAsync(_patience) == over ? await over : null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await System.Terminate().WaitAsync(_patience);
        await _host.StopAsync();
        _host.Dispose();
        CrashPlan.Forget(_name);
    }
}
