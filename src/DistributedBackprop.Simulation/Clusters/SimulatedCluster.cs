using System.Globalization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// A whole cluster on one thread, in virtual time: the production actors of the coordinator and of every node, each on an
/// actor system of its own, with the network, the disk and the membership between them simulated. The same seed does the
/// same in every process.
/// </summary>
/// <remarks>The nodes are called <c>n1</c>, <c>n2</c>, …. As of any <see cref="SimulationLoop"/>: do not await while it lives.</remarks>
public sealed class SimulatedCluster : IDisposable
{
    /// <summary>The name of the coordinator's host.</summary>
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
    private IActorRef _course = ActorRefs.Nobody;
    private IActorRef _coordinator = ActorRefs.Nobody;
    private int _starts;
    private bool _isSubmitted;

    /// <summary>Starts a cluster; the job is submitted by <see cref="Submit"/>, or when the cluster first runs.</summary>
    /// <param name="seed">Chooses everything that chance decides.</param>
    /// <param name="job">The job.</param>
    /// <param name="nodes">How many nodes there are at first, ≥ 1.</param>
    /// <param name="options">Default: <see cref="ClusterOptions"/> as they are.</param>
    public SimulatedCluster(ulong seed, SimulatedJob job, int nodes = 4, ClusterOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nodes, 1);
        Job = job ?? throw new ArgumentNullException(nameof(job));
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
            Content = Options.TracesContent ? MessageContent.Of : static _ => null,
        });
        var draws = Loop.Generator("cluster");
        var places = Options.Places ?? 1 << draws.Below(7);
        _control = new ControlNetwork(Loop, Weather, name => _hosts.GetValueOrDefault(name)?.Node);
        _tensors = new TensorNetwork(Loop, Weather, places);
        Course = new JobCourse(Loop);
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
    public SimulatedJob Job { get; }

    /// <summary>The network.</summary>
    public Weather Weather { get; } = new();

    /// <summary>The coordinator's disk.</summary>
    public SimulatedDisk Disk { get; } = new();

    /// <summary>What the job told.</summary>
    public JobCourse Course { get; }

    /// <summary>What the job told, in order.</summary>
    public IEnumerable<TrainingEvent> Events => Course.Events.Select(told => told.Event);

    /// <summary>The names of the workers that run, paused or not.</summary>
    public IReadOnlyList<string> Workers =>
        [.. _hosts.Values.Where(host => host.Name != Coordinator && host.Node.IsAlive).Select(host => host.Name).Order(StringComparer.Ordinal)];

    /// <summary>Whether a host runs, and is not paused.</summary>
    public bool IsRunning(string name) => _hosts.GetValueOrDefault(name)?.Node is { IsAlive: true, IsPaused: false };

    /// <summary>Whether the job was asked to pause and has not gone on yet.</summary>
    public bool IsJobPausing { get; private set; }

    /// <summary>Control messages and frames that were carried between hosts.</summary>
    public long Messages => _control.Messages + _tensors.Frames;

    /// <summary>Called when a host has died, by whatever, with its name.</summary>
    internal Action<string>? Died { get; set; }

    internal ControlNetwork Control => _control;

    internal TensorNetwork Tensors => _tensors;

    internal IEnumerable<SimulatedNode> WorkerNodes =>
        _everyHost.Where(host => host.Name != Coordinator && host.Node.IsAlive).Select(host => host.Node);

    internal IEnumerable<SimulatedHost> LivingHosts => _everyHost.Where(host => host.Node.IsAlive);

    /// <summary>The job is handed in.</summary>
    public void Submit()
    {
        if (!_isSubmitted)
        {
            _isSubmitted = true;
            HandIn();
        }
    }

    // Of a job that has begun its journal says where it goes on.
    private void HandIn()
    {
        Course.OnSubmitted();
        IsJobPausing = false;
        Loop.Do(() => _coordinator.Tell(new SubmitJob(Job.Run, _course), _course));
    }

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
    public Func<ArrivingFrame, ArrivingFrame?>? FrameInterceptor
    {
        get => _tensors.Interceptor;
        set => _tensors.Interceptor = value;
    }

    /// <summary>A new node joins.</summary>
    /// <param name="standIn">An actor in place of the node's agent, which is told what the agent would be; null: the agent.</param>
    /// <returns>Its name.</returns>
    public string Join(Props? standIn = null)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"n{_hosts.Keys.Count(host => host != Coordinator) + 1}");
        StartWorker(name, standIn);
        return name;
    }

    /// <summary>A node asks to be let go, hands over what it does, and ends.</summary>
    public void Leave(string name)
    {
        var host = Living(name);
        _starts++;
        Loop.Do(() => host.Node.System.ActorOf(
            LeavingActor.Props(name, () => host.Directory, host.Agent, () => Loop.After(TimeSpan.Zero, () => End(host))),
            $"leaving-{_starts}"));
    }

    /// <summary>Kills a host as <c>kill -9</c> would; the coordinator's too.</summary>
    public void Kill(string name) => End(Living(name));

    /// <summary>Starts a process again that has died.</summary>
    public void Restart(string name)
    {
        if (_hosts.GetValueOrDefault(name) is { Node.IsAlive: true })
        {
            return;
        }

        if (name == Coordinator)
        {
            StartCoordinator();
            if (_isSubmitted)
            {
                HandIn();
            }
        }
        else
        {
            StartWorker(name);
        }
    }

    /// <summary>Stops a host as <c>SIGSTOP</c> would.</summary>
    public void Pause(string name) => Living(name).Node.Pause();

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
    public void PauseJob()
    {
        IsJobPausing = true;
        Loop.Do(() => _course.Tell(new PauseJob()));
    }

    /// <summary>Lets a job go on that has paused. Returns whether it had.</summary>
    public bool ResumeJob()
    {
        if (!Course.IsPaused || !_hosts[Coordinator].Node.IsAlive)
        {
            return false;
        }

        HandIn();
        return true;
    }

    /// <summary>Asks the job to stop.</summary>
    public void CancelJob() => Loop.Do(() => _course.Tell(new CancelJob()));

    /// <inheritdoc/>
    public void Dispose() => Loop.Dispose();

    /// <summary>The directory has put a host down: it ends, and whoever watches over it starts it again.</summary>
    internal void OnDowned(SimulatedNode node) => Loop.After(TimeSpan.Zero, () =>
    {
        if (_everyHost.Find(host => host.Node == node) is { Node.IsKilled: false } host)
        {
            End(host);
        }
    });

    private SimulatedHost Living(string name) => _hosts.GetValueOrDefault(name) is { Node.IsAlive: true } host
        ? host
        : throw new ArgumentException($"No host {name} runs (there are {string.Join(", ", Workers)} and {Coordinator}).", nameof(name));

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

    private SimulatedHost StartHost(string name)
    {
        var host = new SimulatedHost(Loop.CreateNode(name, _config, null, _control), _tensors);
        _hosts[name] = host;
        _everyHost.Add(host);
        return host;
    }

    private void StartWorker(string name, Props? standIn = null)
    {
        var host = StartHost(name);
        Loop.Do(() => host.StartAgent(Job, standIn));
    }

    private void StartCoordinator()
    {
        var host = StartHost(Coordinator);
        host.Node.Disk = Disk;
        _starts++;
        Loop.Do(() =>
        {
            var system = host.Node.System;
            var directory = system.ActorOf(Props.Create(() => new SimulatedDirectory(this, host.Node)), SimulatedDirectory.Name);
            var draws = Loop.Generator($"disk/{_starts}");
            var store = system.ActorOf(Props.Create(() => new SimulatedStore(Disk, draws, host.Pool)), "store");
            var keeper = new JobKeeper(host.Pool, host.Plane, host, new JobStorage(store, Version));
            _course = system.ActorOf(Props.Create(() => new CourseActor(Course)), "watcher");
            _coordinator = system.ActorOf(CoordinatorActor.Supervised(directory, keeper), "coordinator-supervisor");
        });
    }
}
