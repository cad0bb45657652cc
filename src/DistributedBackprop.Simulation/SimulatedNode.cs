using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;

namespace DistributedBackprop.Simulation;

/// <summary>One machine of the simulated cluster: an actor system of its own on the loop.</summary>
/// <remarks>A machine that starts again is a new node, which may have the name of the old one.</remarks>
public sealed class SimulatedNode
{
    [ThreadStatic]
    private static SimulatedNode? _inCreation;

    private readonly List<CapturedLog> _logs = [];
    private readonly List<QueuedRun> _heldRuns = [];
    private readonly List<SimulatedTimer> _heldTimers = [];
    private bool _timeStopped;

    private SimulatedNode(SimulationLoop loop, string name, int ordinal)
    {
        Loop = loop;
        Name = name;
        Ordinal = ordinal;
        Label = FormattableString.Invariant($"{name}#{ordinal}");
        TimeProvider = new SimulatedTimeProvider(this);
    }

    /// <summary>The loop it runs on.</summary>
    public SimulationLoop Loop { get; }

    /// <summary>Its name, which is the name of its actor system.</summary>
    public string Name { get; }

    /// <summary>Its place among all nodes of the loop in the order of creation, from 0.</summary>
    public int Ordinal { get; }

    /// <summary>Name and ordinal, for example <c>worker#2</c>: tells a machine that started again from its former life.</summary>
    public string Label { get; }

    /// <summary>Its actor system: Akka's own, unmodified.</summary>
    public ActorSystem System { get; private set; } = null!;

    /// <summary>Its clock for code that takes a <see cref="System.TimeProvider"/>; timers die with the node.</summary>
    public TimeProvider TimeProvider { get; }

    /// <summary>Whether <see cref="Kill"/> was called.</summary>
    public bool IsKilled { get; private set; }

    /// <summary>Whether <see cref="Pause"/> was called, and <see cref="Resume"/> not yet.</summary>
    public bool IsPaused { get; private set; }

    /// <summary>Whether the polite end (<see cref="Terminate"/>) has come to its end.</summary>
    public bool IsTerminated => !IsKilled && System.WhenTerminated is { IsCompleted: true };

    /// <summary>Whether its actors run: neither killed nor terminated.</summary>
    public bool IsAlive => !IsKilled && !IsTerminated;

    /// <summary>What it logged: warnings and errors, or from <c>akka.loglevel</c> and <c>akka.stdout-loglevel</c> on.</summary>
    public IReadOnlyList<CapturedLog> Logs
    {
        get
        {
            lock (_logs)
            {
                return [.. _logs];
            }
        }
    }

    /// <summary>The errors among <see cref="Logs"/>.</summary>
    public IEnumerable<CapturedLog> Errors => Logs.Where(log => log.Level == LogLevel.ErrorLevel);

    /// <summary>The node whose actor system is being created on this thread: Akka makes its parts without arguments of ours.</summary>
    internal static SimulatedNode InCreation => _inCreation
        ?? throw new SimulationException($"A node is created by {nameof(SimulationLoop)}.{nameof(SimulationLoop.CreateNode)} only.");

    /// <summary>What carries its messages to other hosts; null for a node that belongs to no simulated cluster.</summary>
    internal Clusters.ControlNetwork? Network { get; private init; }

    /// <summary>Where its actors keep journals; null where they keep none.</summary>
    internal Clusters.SimulatedDisk? Disk { get; set; }

    /// <summary>Whether its timers still fire.</summary>
    internal bool KeepsTime => !IsKilled && !_timeStopped;

    /// <summary>
    /// Kills the node as <c>kill -9</c> would: what was queued is dropped, timers vanish, no <c>PostStop</c> runs, nobody is
    /// told. Killing twice does nothing.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// One of its own actors calls it: code that runs cannot be cut off. Use <see cref="SimulationLoop.After"/>.
    /// </exception>
    public void Kill()
    {
        if (Loop.CurrentNode == this)
        {
            throw new InvalidOperationException(
                $"{Label} runs an actor and cannot be cut off within it. Use loop.After(TimeSpan.Zero, node.Kill).");
        }

        if (!IsKilled)
        {
            IsKilled = true;
            _heldRuns.Clear();
            _heldTimers.Clear();
            Loop.Drop(this);
        }
    }

    /// <summary>
    /// Stops the node as <c>SIGSTOP</c> would: nothing of it runs, what comes for it waits, and its timers fire once it goes on.
    /// Pausing twice does nothing.
    /// </summary>
    /// <exception cref="InvalidOperationException">One of its own actors calls it.</exception>
    public void Pause()
    {
        if (Loop.CurrentNode == this)
        {
            throw new InvalidOperationException($"{Label} runs an actor and cannot be stopped within it.");
        }

        if (!IsPaused && !IsKilled)
        {
            IsPaused = true;
            Loop.SetAside(this);
        }
    }

    /// <summary>Whether anything waits until the node goes on.</summary>
    internal bool HasHeld => _heldRuns.Count + _heldTimers.Count > 0;

    /// <summary>Lets a node that was paused go on.</summary>
    public void Resume()
    {
        if (IsPaused && !IsKilled)
        {
            IsPaused = false;
            Loop.TakeBack(this, _heldRuns, _heldTimers);
            _heldRuns.Clear();
            _heldTimers.Clear();
        }
    }

    /// <summary>
    /// Asks the actor system to end politely: every actor stops, <c>PostStop</c> runs. It happens as the loop runs on:
    /// <c>loop.RunUntil(() => node.IsTerminated)</c>.
    /// </summary>
    public void Terminate() => Loop.Do(() =>
    {
        if (!IsKilled)
        {
            Loop.TraceNode(this, "terminate");
            _ = System.Terminate();
        }
    });

    /// <summary>Does something on this node's behalf after some virtual time, unless the node has died.</summary>
    /// <param name="delay">At least 0.</param>
    /// <param name="action">What to do.</param>
    /// <returns>Dispose to cancel.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="delay"/> is negative.</exception>
    public IDisposable After(TimeSpan delay, Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        var timer = new SimulatedTimer(this, action, null, null);
        Loop.Set(timer, delay);
        return timer;
    }

    /// <inheritdoc/>
    public override string ToString() => Label;

    /// <summary>Creates a node. Must be called inside a task of the loop.</summary>
    internal static SimulatedNode Create(
        SimulationLoop loop, string name, int ordinal, Config config, ActorSystemSetup? setup, Clusters.ControlNetwork? network)
    {
        var node = new SimulatedNode(loop, name, ordinal) { Network = network };
        SimulatedNode? outer = _inCreation;
        _inCreation = node;
        try
        {
            BootstrapSetup bootstrap = BootstrapSetup.Create().WithConfig(config);
            node.System = ActorSystem.Create(name, (setup ?? ActorSystemSetup.Empty).And(bootstrap));
        }
        finally
        {
            _inCreation = outer;
        }

        return node;
    }

    /// <summary>Keeps a log event.</summary>
    internal void Capture(CapturedLog log)
    {
        lock (_logs)
        {
            _logs.Add(log);
        }
    }

    /// <summary>Keeps a run until the node goes on.</summary>
    internal void Hold(in QueuedRun run) => _heldRuns.Add(run);

    /// <summary>Keeps a timer that is due until the node goes on.</summary>
    internal void Hold(SimulatedTimer timer) => _heldTimers.Add(timer);

    /// <summary>Its timers fire no more.</summary>
    internal void StopKeepingTime() => _timeStopped = true;
}
