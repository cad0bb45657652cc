using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Configuration;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>
/// Nodes in one process whose tensors go over real connections, as between machines; small messages go by reference. So
/// hundreds of jobs can be placed in every way.
/// </summary>
internal sealed class LinkedNodes : IAsyncDisposable
{
    /// <summary>What all nodes know.</summary>
    public const string Secret = "what all nodes know";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    private readonly ActorSystem _system;
    private readonly Dictionary<TensorPlane, WebApplication> _hosts = [];
    private readonly List<TensorPlane> _planes = [];
    private readonly List<TensorPlane> _dead = [];
    private readonly NewestData _data = new();
    private JobKeeper _keeper = null!;
    private IActorRef _newestWatcher = ActorRefs.Nobody;
    private int _jobs;
    private int _incarnations;
    private string? _leak;
    private string? _newest;

    private LinkedNodes() => _system = ActorSystem.Create("linked", ConfigurationFactory.ParseString($$"""
        akka { loglevel = off, stdout-loglevel = off, log-dead-letters = off, coordinated-shutdown.run-by-clr-shutdown-hook = off }
        {{LayerThreads.Hocon(2)}}
        """));

    /// <summary>The nodes, each with so many layer threads as its number in the list says.</summary>
    public ImmutableArray<NodeInfo> Nodes { get; private set; } = [];

    /// <summary>Tensors of all nodes that live and the keeper that are not given back.</summary>
    public long Outstanding => _planes.Except(_dead).Sum(plane => PoolOf(plane).Outstanding);

    /// <summary>Bytes that the pools of all nodes and the keeper have taken from the runtime.</summary>
    public long AllocatedBytes => _planes.Sum(plane => PoolOf(plane).AllocatedBytes);

    /// <summary>Large blocks that the listener of one node has taken, at most.</summary>
    public int Blocks => _hosts.Values.Max(host => host.Services.GetRequiredService<PinnedBlockPool>().Blocks);

    /// <summary>Connections that were closed for what they sent after their hello.</summary>
    public long Violations => _planes.Sum(plane => plane.Counters.Violations);

    /// <summary>Connections that have yet to say hello.</summary>
    public int Strangers => _planes.Sum(plane => plane.Strangers);

    /// <summary>The id of the job that was begun last.</summary>
    public string NewestJob => IdOf(Volatile.Read(ref _jobs));

    private TensorPool PoolOf(TensorPlane plane) => _pools[plane];

    private readonly Dictionary<TensorPlane, TensorPool> _pools = [];

    /// <summary>Starts nodes <c>n1</c>, <c>n2</c>, … and a keeper.</summary>
    /// <param name="threads">Layer threads of each node.</param>
    /// <param name="change">Changes the settings of the planes.</param>
    /// <param name="isKeeperNode">Whether the keeper is the process of the first node, not one of its own.</param>
    public static async Task<LinkedNodes> StartAsync(
        IReadOnlyList<int> threads, Func<PlaneSettings, PlaneSettings>? change = null, bool isKeeperNode = false)
    {
        var linked = new LinkedNodes();
        var nodes = ImmutableArray.CreateBuilder<NodeInfo>();
        for (var number = 1; number <= threads.Count; number++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"n{number}");
            nodes.Add(await linked.StartNodeAsync(name, name, number, threads[number - 1], change));
        }

        linked.Nodes = nodes.ToImmutable();
        if (isKeeperNode)
        {
            var first = linked._planes[0];
            linked._keeper = new JobKeeper(linked.PoolOf(first), first, new LoneNode(linked.Nodes[0].Description));
            return linked;
        }

        var (keeperPlane, keeperPool, keeperAddress) = await linked.StartPlaneAsync("keeper", change);
        linked._keeper = new JobKeeper(
            keeperPool, keeperPlane, new LoneNode(new NodeDescription("keeper", 1, keeperAddress, 0, "", "")));
        return linked;
    }

    /// <summary>Trains a job.</summary>
    /// <param name="job">The job.</param>
    /// <param name="data">Its data.</param>
    /// <param name="nodes">On which nodes at first.</param>
    /// <param name="changes">The nodes after a step has been told, by that step.</param>
    public Task<LinkedRun> TrainAsync(
        TrainingJob job,
        DataSet data,
        ImmutableArray<NodeInfo> nodes,
        IReadOnlyDictionary<long, ImmutableArray<NodeInfo>>? changes = null) => changes is null
            ? TrainStepwiseAsync(job, data, nodes, 4096, (_, _) => Task.CompletedTask)
            : TrainStepwiseAsync(job, data, nodes, 1, (step, told) =>
            {
                if (changes.TryGetValue(step, out var changed))
                {
                    told.Nodes(changed);
                }

                return Task.CompletedTask;
            });

    /// <summary>Trains a job.</summary>
    /// <param name="job">The job.</param>
    /// <param name="data">Its data.</param>
    /// <param name="nodes">On which nodes at first.</param>
    /// <param name="stepsAhead">How many steps it may run ahead of what is done at a step.</param>
    /// <param name="onStep">What is done at a step; the job gets no further before.</param>
    /// <param name="start">Where it goes on; taken.</param>
    /// <param name="onWaits">What is done when the job says that it waits.</param>
    public async Task<LinkedRun> TrainStepwiseAsync(
        TrainingJob job,
        DataSet data,
        ImmutableArray<NodeInfo> nodes,
        long stepsAhead,
        Func<long, LinkedJob, Task> onStep,
        JobStart? start = null,
        Func<LinkedJob, Task>? onWaits = null)
    {
        _leak.ShouldBeNull();
        _data.Set(data);
        var number = Interlocked.Increment(ref _jobs);
        var directory = _system.ActorOf(Props.Create(() => new Directory(nodes)));
        var events = Channel.CreateUnbounded<object>();
        var watcher = _newestWatcher = _system.ActorOf(Props.Create(() => new Watcher(events.Writer)));

        // Where nodes change, the job waits at every step for what comes of it: else it may be over before.
        var run = new JobRun(IdOf(number), job, Graph.Of(job.Model, job.Seed), data, null) { StepsAhead = stepsAhead };
        var actor = _system.ActorOf(JobActor.Props(run, directory, _keeper, watcher, start));
        var linked = new LinkedJob(actor, directory);
        var told = new List<TrainingEvent>();
        using var deadline = new CancellationTokenSource(_patience);
        await foreach (var message in events.Reader.ReadAllAsync(deadline.Token))
        {
            if (message is JobOver over)
            {
                var hash = over.Event is TrainingCompleted completed ? completed.WeightsSha256 : null;
                foreach (var layer in over.Parameters)
                {
                    layer.Dispose();
                }

                _newest = $"{job}: {over.Event}; {string.Join("; ", over.Generations)}";
                return new LinkedRun(told, over.Event, hash, over.Generations, over.GoesOnFrom);
            }

            var happened = ((JobEvent)message).Event;
            told.Add(happened);
            if (happened is TrainingWaits && onWaits is not null)
            {
                await onWaits(linked);
            }

            if (happened is StepDone step)
            {
                try
                {
                    await onStep(step.Step, linked);
                }
                catch (Exception e)
                {
                    // The job runs on, and keeps what it has.
                    _leak ??= $"a job was left alone: {e}";
                    throw;
                }

                // By the same way, so that it comes after a change of nodes.
                directory.Tell(new Watched(step.Step));
            }
        }

        throw new InvalidOperationException("The job's events ended before the job.");
    }

    /// <summary>The port for tensors of a node, counted round and round.</summary>
    public int PortOf(int number) => Nodes[number % Nodes.Length].Description.Tensors!.Port;

    /// <summary>Whoever watches the newest job is gone.</summary>
    public void Forget() => _system.Stop(_newestWatcher);

    /// <summary>From now on no node has its data before this has ended.</summary>
    public void ReadSlowly(Task until) => _data.Readable = until;

    /// <summary>From now on no node can read its data, for a reason; null: all can.</summary>
    public void Withhold(string? reason) => _data.Error = reason;

    /// <summary>Actors of a node end, as by a failure that they do not survive.</summary>
    /// <param name="actors">Below the node's agent.</param>
    public void Kill(string actors) => _system.ActorSelection($"/user/{actors}").Tell(Akka.Actor.Kill.Instance);

    /// <summary>A node dies: its connections break, and nobody listens at its port any more.</summary>
    public async Task DieAsync(string name)
    {
        var node = Nodes.Single(node => node.Name == name);
        var plane = _hosts.Keys.Except(_dead).Single(plane => plane.EndPoint?.Port == node.Description.Tensors!.Port);
        _dead.Add(plane);
        _system.Stop(node.Agent);
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _hosts[plane].StopAsync(now.Token);
    }

    /// <summary>A node that died is started again, as another process at another port.</summary>
    public async Task ReviveAsync(string name)
    {
        var dead = Nodes.Single(node => node.Name == name);
        var again = await StartNodeAsync(
            name, $"{name}-{++_incarnations}", dead.Description.ProcessId + 1000, dead.Description.Threads, null);
        Nodes = Nodes.Replace(dead, again);
    }

    /// <summary>Waits until all tensors are given back. What a job leaves is there for all that follow: they fail for the same reason.</summary>
    public Task UntilNothingIsHeldAsync() => UntilAsync(() => Outstanding == 0, () => _leak ??= $"nothing is held: {Held()}");

    /// <summary>Waits until so many frames have come in.</summary>
    public Task UntilFramesAsync(long frames) =>
        UntilAsync(() => _planes.Sum(plane => plane.Counters.FramesReceived) >= frames, "frames come");

    /// <summary>Waits until all connections from elsewhere have ended.</summary>
    public Task UntilNobodyCallsAsync() =>
        UntilAsync(() => _planes.TrueForAll(plane => plane.Connections == 0 && plane.Strangers == 0), "nobody calls");

    /// <summary>Waits until all tensors are given back: a node that is taken for lost is not waited for by its job.</summary>
    public Task UntilAllIsGivenBackAsync() => UntilAsync(() => Outstanding == 0, "all tensors are given back");

    public async ValueTask DisposeAsync()
    {
        await _system.Terminate();
        foreach (var host in _hosts.Values)
        {
            using var now = new CancellationTokenSource();
            await now.CancelAsync();
            await host.StopAsync(now.Token);
            await host.DisposeAsync();
        }

        foreach (var plane in _planes)
        {
            _pools.Remove(plane);
            plane.Dispose();
        }
    }

    private async Task<NodeInfo> StartNodeAsync(
        string name, string actor, int processId, int threads, Func<PlaneSettings, PlaneSettings>? change)
    {
        var (plane, pool, address) = await StartPlaneAsync(name, change);
        var description = new NodeDescription(name, threads, address, processId, "", "");
        var equipment = new NodeEquipment(
            new LoneNode(description),
            new LayerThreads(threads, width => width == 1 ? SequentialTiles.Instance : new ThreadedTiles(width)),
            pool,
            _data,
            plane);
        return new NodeInfo(description, _system.ActorOf(NodeActor.Props(equipment), actor), NodePresence.Up);
    }

    private static string IdOf(int number) => string.Create(CultureInfo.InvariantCulture, $"linked-{number}");

    private string Held()
    {
        var held = _planes.Except(_dead).Select(plane => $"{plane.EndPoint}: {PoolOf(plane).Outstanding}");
        return $"{string.Join(", ", held)} tensors after {_newest}";
    }

    private static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(condition, () => what);

    private static async Task UntilAsync(Func<bool> condition, Func<string> what)
    {
        using var deadline = new CancellationTokenSource(_patience);
        while (!condition())
        {
            if (deadline.IsCancellationRequested)
            {
                throw new TimeoutException($"not in time: {what()}");
            }

            await Task.Delay(1);
        }
    }

    private async Task<(TensorPlane Plane, TensorPool Pool, DnsEndPoint Address)> StartPlaneAsync(
        string name, Func<PlaneSettings, PlaneSettings>? change)
    {
        var settings = new PlaneSettings(name, Encoding.UTF8.GetBytes(Secret));
        var pool = new TensorPool();
        var plane = new TensorPlane(change?.Invoke(settings) ?? settings, pool);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddTensorPlane(plane, new IPEndPoint(IPAddress.Loopback, 0));
        var host = builder.Build();
        await host.StartAsync();
        _hosts.Add(plane, host);
        _planes.Add(plane);
        _pools.Add(plane, pool);
        return (plane, pool, new DnsEndPoint("localhost", plane.EndPoint!.Port, AddressFamily.InterNetwork));
    }

    private sealed class NewestData : IDataSets
    {
        private DataSet? _data;

        public Task Readable { get; set; } = Task.CompletedTask;

        public string? Error { get; set; }

        public void Set(DataSet data) => _data = data;

        public void Load(TrainingJob job, IActorRef receiver) => Readable.ContinueWith(
            _ => receiver.Tell(new DataLoaded(Error is null ? _data : null, Error)), TaskContinuationOptions.ExecuteSynchronously);
    }

    private sealed class Directory : ReceiveActor, IWithTimers
    {
        // As failure detectors do: much later than whoever has a connection there.
        private static readonly TimeSpan _detectsWithin = TimeSpan.FromSeconds(2);

        private readonly HashSet<IActorRef> _watchers = [];

        public Directory(ImmutableArray<NodeInfo> nodes)
        {
            Receive<WatchNodes>(_ =>
            {
                _watchers.Add(Sender);
                Sender.Tell(new NodesChanged(nodes));
            });
            Receive<Watched>(watched =>
            {
                foreach (var watcher in _watchers)
                {
                    watcher.Tell(watched);
                }
            });
            Receive<NodeIsDead>(dead =>
                Self.Tell(new NodesChanged([.. nodes.Where(node => !node.Agent.Equals(dead.Agent))])));
            Receive<FallsSilent>(silent =>
                Timers.StartSingleTimer(silent.Agent, new IsSilent(silent.Agent), _detectsWithin));
            Receive<IsSilent>(silent => Self.Tell(new NodesChanged(
            [
                .. nodes.Select(node => node.Agent.Equals(silent.Agent) ? node with { Presence = NodePresence.Unreachable } : node),
            ])));
            Receive<NodesChanged>(changed =>
            {
                nodes = changed.Nodes;
                foreach (var watcher in _watchers)
                {
                    watcher.Tell(changed);
                }
            });
        }

        public ITimerScheduler Timers { get; set; } = null!;
    }

    private sealed record IsSilent(IActorRef Agent);

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(ChannelWriter<object> events) => ReceiveAny(message => events.TryWrite(message));
    }
}
