using System.Globalization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// A whole cluster on one thread, in virtual time: the production actors of the coordinator and of every node, each on an
/// actor system of its own, with the network, the disk and the membership between them simulated. The same seed does the
/// same in every process.
/// </summary>
/// <remarks>The nodes are called <c>n1</c>, <c>n2</c>, …. As of any <see cref="SimulationLoop"/>: do not await while it lives.</remarks>
public sealed class SimulatedCluster : IDisposable
{
    /// <summary>The name of the first coordinator's host.</summary>
    public const string Coordinator = "coordinator";

    private const string Version = "simulated";

    private static readonly Config _config = ConfigurationFactory.ParseString($$"""
        akka.actor.provider = "{{typeof(ClusterActorRefProvider).FullName}}, {{typeof(ClusterActorRefProvider).Assembly.GetName().Name}}"
        """).WithFallback(ConfigurationFactory.ParseString(WireSerializer.Hocon))
        .WithFallback(ConfigurationFactory.ParseString(SimulatedJournal.Hocon))
        .WithFallback(Persistence.DefaultConfig());

    private readonly Dictionary<string, SimulatedHost> _hosts = new(StringComparer.Ordinal);
    private readonly List<SimulatedHost> _everyHost = [];
    private readonly ControlNetwork _control;
    private readonly TensorNetwork _tensors;
    private readonly IJobSource _source;
    private int _starts;
    private int _coordinators = 1;

    /// <summary>Starts a cluster; the job is submitted by <see cref="Submit"/>, or when the cluster first runs.</summary>
    /// <param name="seed">Chooses everything that chance decides.</param>
    /// <param name="job">The job.</param>
    /// <param name="nodes">How many nodes there are at first, ≥ 1.</param>
    /// <param name="options">Default: <see cref="ClusterOptions"/> as they are.</param>
    public SimulatedCluster(ulong seed, SimulatedJob job, int nodes = 4, ClusterOptions? options = null)
        : this(seed, new SingleJob(job ?? throw new ArgumentNullException(nameof(job))), nodes, options)
    {
    }

    /// <summary>Starts a cluster whose jobs come from somewhere else.</summary>
    internal SimulatedCluster(ulong seed, IJobSource source, int nodes, ClusterOptions? options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nodes, 1);
        _source = source;
        Options = options ?? new ClusterOptions();
        Loop = new SimulationLoop(seed, new SimulationOptions
        {
            Dispatchers =
            [
                LayerThreads.DispatcherOf(0),
                LayerThreads.LinkDispatcher,
                "akka.persistence.dispatchers.default-plugin-dispatcher",
                "akka.persistence.dispatchers.default-replay-dispatcher",
                "akka.persistence.dispatchers.default-stream-dispatcher",
            ],
            MaxVirtualTime = Options.Limit + Options.Limit,
            MaxSteps = 100_000_000,
            ShortestRun = Options.ShortestRun,
            LongestRun = Options.LongestRun,
            OnTrace = Options.OnTrace,
            Content = Options.TracesContent ? MessageContent.Write : null,
        });
        var draws = Loop.Generator("cluster");
        var places = Options.Places ?? 1 << draws.Below(7);
        _control = new ControlNetwork(Loop, Weather, name => _hosts.GetValueOrDefault(name)?.Node);
        _tensors = new TensorNetwork(Loop, Weather, places);
        source.Attach(this);
        StartCoordinator();
        for (var number = 0; number < nodes; number++)
        {
            Join();
        }
    }

    /// <summary>The loop.</summary>
    public SimulationLoop Loop { get; }

    /// <summary>What it was told.</summary>
    public ClusterOptions Options { get; }

    /// <summary>The job.</summary>
    public SimulatedJob Job => Single.Job;

    /// <summary>The network.</summary>
    public Weather Weather { get; } = new();

    /// <summary>The coordinators' disk: there is one database.</summary>
    public SimulatedDisk Disk { get; } = new();

    /// <summary>What the job told.</summary>
    public JobCourse Course => Single.Course;

    /// <summary>What the job told, in order.</summary>
    public IEnumerable<TrainingEvent> Events => Course.Events.Select(told => told.Event);

    /// <summary>The name of the host whose coordinator is the newest: the others, if there are any, only believe to be it.</summary>
    public string CoordinatorName { get; private set; } = Coordinator;

    /// <summary>The names of the coordinators' hosts that run, paused or not, in the order in which they began.</summary>
    public IReadOnlyList<string> Coordinators =>
        [.. _everyHost.Where(host => host.IsCoordinator && host.Node.IsAlive).Select(host => host.Name)];

    /// <summary>The names of the workers that run, paused or not.</summary>
    public IReadOnlyList<string> Workers =>
        [.. _hosts.Values.Where(host => !host.IsCoordinator && host.Node.IsAlive).Select(host => host.Name).Order(StringComparer.Ordinal)];

    /// <summary>Whether a host runs, and is not paused.</summary>
    public bool IsRunning(string name) => _hosts.GetValueOrDefault(name)?.Node is { IsAlive: true, IsPaused: false };

    /// <summary>How many tensors a host that runs has lent and not got back: of what works there, and of what was forgotten.</summary>
    public long TensorsOf(string name) => Living(name).Pool.Outstanding;

    /// <summary>Where a host that runs borrows its tensors: also those that somebody sends who stands in for one of its actors.</summary>
    public TensorPool PoolOf(string name) => Living(name).Pool;

    /// <summary>What a host that runs says of itself when it is asked.</summary>
    public NodeDescription DescriptionOf(string name) => Living(name).Description;

    /// <summary>Whether the job was asked to pause and has not gone on yet.</summary>
    public bool IsJobPausing => Single.IsPausing;

    /// <summary>Control messages and frames that were carried between hosts.</summary>
    public long Messages => _control.Messages + _tensors.Frames;

    /// <summary>Control messages that came after one that was sent later on the same way.</summary>
    public long Overtaken => _control.Overtaken;

    /// <summary>Called when a host has died, by whatever, with its name.</summary>
    internal Action<string>? Died { get; set; }

    internal ControlNetwork Control => _control;

    internal TensorNetwork Tensors => _tensors;

    internal IEnumerable<SimulatedNode> WorkerNodes =>
        _everyHost.Where(host => !host.IsCoordinator && host.Node.IsAlive).Select(host => host.Node);

    internal IEnumerable<SimulatedHost> LivingHosts => _everyHost.Where(host => host.Node.IsAlive);

    private SingleJob Single => _source as SingleJob ?? throw new InvalidOperationException(
        "The jobs of this cluster are handed in through its queue: the service knows them.");

    /// <summary>The job is handed in.</summary>
    public void Submit() => Single.Submit();

    /// <summary>Runs until the job has told a step.</summary>
    /// <param name="step">Which, from 1.</param>
    /// <exception cref="SimulationException">The job ends before, or does not come so far.</exception>
    public void RunUntilStep(long step) => RunUntil(() => Course.Step >= step);

    /// <summary>Runs until something holds.</summary>
    /// <exception cref="SimulationException">The job ends before, or it does not come to hold.</exception>
    public void RunUntil(Func<bool> condition)
    {
        Submit();
        var end = Loop.Now + Options.Limit;
        Loop.RunUntil(() => condition() || Course.Outcome is not null || Loop.Now >= end);
        if (!condition())
        {
            throw new SimulationException(Course.Outcome is { } outcome
                ? $"The job ended before what was waited for: {outcome}"
                : $"What was waited for does not hold within {Options.Limit} of virtual time; step {Course.Step} was the last.");
        }
    }

    /// <summary>The hash of the final weights; null before the job has completed.</summary>
    public string? WeightsSha256 => (Course.Outcome as TrainingCompleted)?.WeightsSha256;

    /// <summary>Runs until the job is over.</summary>
    /// <returns>How it ended; null where it does not come to an end within <see cref="ClusterOptions.Limit"/>.</returns>
    public TrainingEvent? RunToEnd()
    {
        Submit();
        var end = Loop.Now + Options.Limit;
        Loop.RunUntil(() => Course.Outcome is not null || Loop.Now >= end);
        return Course.Outcome;
    }

    /// <summary>What becomes of a frame that arrives (null: it is lost); null: every one is taken as it is. To try mistakes.</summary>
    internal Func<ArrivingFrame, ArrivingFrame?>? FrameInterceptor
    {
        get => _tensors.Interceptor;
        set => _tensors.Interceptor = value;
    }

    /// <summary>A new node joins.</summary>
    /// <param name="standIn">An actor in place of the node's agent, which is told what the agent would be; null: the agent.</param>
    /// <returns>Its name.</returns>
    public string Join(Props? standIn = null)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"n{_hosts.Values.Count(host => !host.IsCoordinator) + 1}");
        StartWorker(name, standIn);
        return name;
    }

    /// <summary>Tells a node's agent something, as whoever coordinates would.</summary>
    /// <param name="name">Which node.</param>
    /// <param name="message">What it is told.</param>
    /// <param name="coordinator">Who hears its answers, and of what it then does.</param>
    public void Tell(string name, object message, IActorRef coordinator)
    {
        var agent = Living(name).Agent;
        Loop.Do(() => agent.Tell(message, coordinator));
    }

    /// <summary>A node asks to be let go, hands over what it does, and ends.</summary>
    public void Leave(string name)
    {
        var host = Living(name);
        _starts++;
        Loop.Do(() => host.Node.System.ActorOf(
            LeavingActor.Props(name, host.Directories, host.Agent, () => Loop.After(TimeSpan.Zero, () => End(host))),
            $"leaving-{_starts}"));
    }

    /// <summary>
    /// Another process takes the coordination over, as where the one that has it is lost to the others; that one goes on, and
    /// believes to have it.
    /// </summary>
    /// <returns>The name of its host.</returns>
    public string TakeOver()
    {
        _coordinators++;
        CoordinatorName = string.Create(CultureInfo.InvariantCulture, $"{Coordinator}-{_coordinators}");
        StartCoordinator();
        return CoordinatorName;
    }

    /// <summary>Kills a host as <c>kill -9</c> would; the coordinator's too.</summary>
    public void Kill(string name) => End(Living(name));

    /// <summary>Starts a process again that has died; a coordinator only where no other one has taken its place.</summary>
    public void Restart(string name)
    {
        if (_hosts.GetValueOrDefault(name) is { Node.IsAlive: true })
        {
            return;
        }

        if (name == CoordinatorName)
        {
            StartCoordinator();
        }
        else if (_hosts.GetValueOrDefault(name) is not { IsCoordinator: true })
        {
            StartWorker(name);
        }
    }

    /// <summary>Stops a host as <c>SIGSTOP</c> would.</summary>
    public void Pause(string name) => Living(name).Node.Pause();

    /// <summary>Whether anything waits for a host that was stopped.</summary>
    internal bool HasHeld(string name) => _hosts.GetValueOrDefault(name)?.Node.HasHeld == true;

    /// <summary>Lets a host go on that was stopped.</summary>
    public void Continue(string name)
    {
        if (_hosts.GetValueOrDefault(name) is { } host)
        {
            host.Node.Resume();
        }
    }

    /// <summary>Breaks the connections for tensors from one host to another.</summary>
    /// <returns>Whether there was one.</returns>
    public bool BreakLink(string from, string to) => _tensors.Break(from, to);

    /// <summary>Asks the job to pause.</summary>
    public void PauseJob() => Single.Pause();

    /// <summary>Lets a job go on that has paused. Returns whether it had.</summary>
    public bool ResumeJob()
    {
        if (!Course.IsPaused || !_hosts[CoordinatorName].Node.IsAlive)
        {
            return false;
        }

        Single.HandIn();
        return true;
    }

    /// <summary>Asks the job to stop.</summary>
    public void CancelJob() => Single.Cancel();

    /// <inheritdoc/>
    public void Dispose() => Loop.Dispose();

    /// <summary>Whether a host's coordinator is the newest.</summary>
    internal bool IsNewest(SimulatedHost host) => _hosts.GetValueOrDefault(CoordinatorName) == host;

    /// <summary>The host of a name that runs; null where there is none.</summary>
    internal SimulatedHost? HostOf(string name) => _hosts.GetValueOrDefault(name) is { Node.IsAlive: true } host ? host : null;

    /// <summary>
    /// A directory has put a host down: it ends, and whoever watches over it starts it again. To the directory of somebody who
    /// is cut off with a few nobody listens.
    /// </summary>
    internal void OnDowned(SimulatedNode directory, SimulatedNode node)
    {
        if (_hosts[CoordinatorName].Node == directory)
        {
            EndSoon(_everyHost.Find(host => host.Node == node));
        }
    }

    private SimulatedHost Living(string name) => _hosts.GetValueOrDefault(name) is { Node.IsAlive: true } host
        ? host
        : throw new ArgumentException($"No host {name} runs (there are {string.Join(", ", Workers)} and {Coordinator}).", nameof(name));

    // Not within the work of the host itself: that cannot be cut off.
    private void EndSoon(SimulatedHost? host) => Loop.After(TimeSpan.Zero, () =>
    {
        if (host is not null)
        {
            End(host);
        }
    });

    private void End(SimulatedHost host)
    {
        if (host.Node.IsKilled)
        {
            return;
        }

        host.Node.Kill();
        _tensors.OnKilled(host.Node);
        _everyHost.Remove(host);
        Died?.Invoke(host.Name);
        if (Options.RestartAfter is { } after)
        {
            Loop.After(after, () => Restart(host.Name));
        }
    }

    private SimulatedHost StartHost(string name, bool isCoordinator)
    {
        var host = new SimulatedHost(Loop.CreateNode(name, _config, null, _control), _tensors, isCoordinator, EndSoon);
        _hosts[name] = host;
        _everyHost.Add(host);
        return host;
    }

    private void StartWorker(string name, Props? standIn = null)
    {
        var host = StartHost(name, isCoordinator: false);
        Loop.Do(() => host.StartAgent(_source.Data, standIn));
    }

    private void StartCoordinator()
    {
        var host = StartHost(CoordinatorName, isCoordinator: true);
        IActorRef coordinator = ActorRefs.Nobody;
        host.Node.Disk = Disk;
        _starts++;
        Loop.Do(() =>
        {
            var system = host.Node.System;
            var directory = system.ActorOf(Props.Create(() => new SimulatedDirectory(this, host.Node)), SimulatedDirectory.Name);
            var draws = Loop.Generator($"disk/{_starts}");
            var store = system.ActorOf(Props.Create(() => new SimulatedStore(Disk, draws, host.Pool)), "store");
            var keeper = new JobKeeper(host.Pool, host.Plane, host, new JobStorage(store, Version, host.Node.Label));
            coordinator = system.ActorOf(
                CoordinatorActor.Supervised(directory, keeper, _source.ServiceOf(host)), "coordinator-supervisor");
        });
        _source.OnCoordinator(host, coordinator);
    }
}
