using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Dispatch.SysMsg;

namespace DistributedBackprop.Simulation;

/// <summary>
/// Runs real, unmodified actor systems on one thread, in virtual time, in an order that a seed chooses. The same seed and
/// the same scenario do the same in every process: <see cref="TraceHash"/> proves it.
/// </summary>
/// <remarks>
/// The loop: fire the timers that are due; stop if the condition holds; else run one mailbox for one message, picked by the
/// seeded generator, and let a little time pass; else, if nothing can run, jump to the next timer; else all is quiet.
/// A loop belongs to the thread that made it, so a test that uses it must not await. Dispose of it to give the thread back.
/// </remarks>
public sealed partial class SimulationLoop : IDisposable
{
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly SimulationOptions _options;
    private readonly RunQueue _runs = new();
    private readonly TimerHeap _timers = new();
    private readonly List<SimulatedNode> _nodes = [];
    private readonly ConcurrentQueue<string> _outside = new();
    private readonly KeyedGenerator _order;
    private readonly KeyedGenerator _cost;
    private readonly LoopTaskScheduler _tasks;
    private readonly LoopAmbience _ambience;
    private readonly Trace _trace;
    private long _nextRunId;
    private long _turns;
    private bool _driving;

    /// <summary>A simulation with nothing in it.</summary>
    /// <param name="seed">Chooses the order of events, and everything else that chance decides.</param>
    /// <param name="options">Default: <see cref="SimulationOptions"/> as they are.</param>
    public SimulationLoop(ulong seed, SimulationOptions? options = null)
    {
        Seed = seed;
        _options = options ?? new SimulationOptions();
        _order = Generator("order");
        _cost = Generator("cost");
        _tasks = new LoopTaskScheduler(this);
        _ambience = new LoopAmbience(AkkaRandomness.From(Generator("akka")));
        _trace = new Trace(_options.Content, _options.OnTrace);
        _ambience.Install(inActor: false);
    }

    private enum Outcome
    {
        Satisfied,
        TimeReached,
        Quiescent,
    }

    /// <summary>The seed.</summary>
    public ulong Seed { get; }

    /// <summary>The virtual time since the start.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>The virtual date and time.</summary>
    public DateTimeOffset UtcNow => _options.Start + Now;

    /// <summary>How many messages actors have handled, Akka's own actors included, system messages excluded.</summary>
    public long MessageCount { get; private set; }

    /// <summary>How many runs and timers there have been.</summary>
    public long StepCount { get; private set; }

    /// <summary>
    /// Called with every message that an actor is about to handle: to assert on what passes. It must not send anything, nor
    /// keep a tensor. Default: null.
    /// </summary>
    public Action<SentMessage>? MessageHandled { get; set; }

    /// <summary>
    /// Called with every message that reaches a mailbox; what it returns takes the message's place (nothing: it is lost), and
    /// null leaves it as it is. To try what the actors and the checks make of a mistake. Default: null.
    /// </summary>
    internal Func<SentMessage, IReadOnlyList<object>?>? Interceptor { get; set; }

    /// <summary>
    /// Called before and after every turn of an actor with its node, its path, the turn's number and whether it is before: to
    /// kill the node just then. Default: null.
    /// </summary>
    internal Action<SimulatedNode, string, long, bool>? TurnTaken { get; set; }

    /// <summary>
    /// Called with every message that reaches a mailbox, to stand in for its actor: where it returns true, it has taken the
    /// message and the tensors in it, and the actor is not told. Default: null.
    /// </summary>
    public Func<SentMessage, bool>? StandIn { get; set; }

    /// <summary>The most messages that have waited in one mailbox at a time.</summary>
    public int LongestMailbox { get; internal set; }

    /// <summary>All nodes ever created, in order.</summary>
    public IReadOnlyList<SimulatedNode> Nodes => _nodes;

    /// <summary>SHA-256 of all that happened up to now, as 64 hexadecimal digits; equal hashes mean equal histories.</summary>
    public string TraceHash => _trace.Hash;

    /// <summary>The node whose work is being done; null between steps and for the simulation's own.</summary>
    internal SimulatedNode? CurrentNode { get; private set; }

    /// <summary>Whether the caller is on the one thread that may touch the simulation.</summary>
    internal bool IsOnItsThread => Environment.CurrentManagedThreadId == _thread;

    /// <summary>A stream of random numbers of this simulation's seed.</summary>
    /// <param name="key">Names the purpose: each has a stream of its own, and the same key begins the same stream again.</param>
    public KeyedGenerator Generator(string key) => new(Seed, key);

    /// <summary>Starts a node: an actor system of its own.</summary>
    /// <param name="name">The name of the actor system: letters, digits and dashes. A killed node's name may be used again.</param>
    /// <param name="extra">HOCON of the caller. What the simulation needs wins over it; dispatchers in it are mapped to the loop.</param>
    /// <param name="setup">Further set-up of the actor system (serializers), or null. A <see cref="BootstrapSetup"/> in it is replaced.</param>
    public SimulatedNode CreateNode(string name, Config? extra = null, ActorSystemSetup? setup = null) =>
        CreateNode(name, extra, setup, null);

    /// <summary>Starts a node that is a host of a simulated cluster.</summary>
    internal SimulatedNode CreateNode(string name, Config? extra, ActorSystemSetup? setup, Clusters.ControlNetwork? network)
    {
        SimulatedNode? node = null;
        Do(() =>
        {
            Config config = NodeConfiguration.Of(_options.Dispatchers, extra);
            node = SimulatedNode.Create(this, name, _nodes.Count, config, setup, network);
            _nodes.Add(node);
            _trace.Node(Now, node, "start");
        });
        return node!;
    }

    /// <summary>Runs until <paramref name="condition"/> holds, which is asked before every step.</summary>
    /// <exception cref="SimulationException">
    /// All became quiet before it held, a bound of <see cref="SimulationOptions"/> was passed, or another thread ran an actor.
    /// </exception>
    public void RunUntil(Func<bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        if (Drive(condition, TimeSpan.MaxValue) == Outcome.Quiescent)
        {
            throw Failure("all is quiet, and the condition that was waited for does not hold");
        }
    }

    /// <summary>Runs until nothing can run and no timer is set.</summary>
    /// <exception cref="SimulationException">
    /// A bound of <see cref="SimulationOptions"/> was passed (a repeating timer never lets a simulation come to rest), or
    /// another thread ran an actor.
    /// </exception>
    public void RunUntilQuiescent() => Drive(null, TimeSpan.MaxValue);

    /// <summary>Runs for some virtual time; if all becomes quiet before, the clock jumps to its end.</summary>
    /// <param name="duration">At least 0.</param>
    /// <exception cref="SimulationException">A bound was passed, or another thread ran an actor.</exception>
    public void RunFor(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, TimeSpan.Zero);
        TimeSpan end = Now + duration;
        if (Drive(null, end) == Outcome.Quiescent)
        {
            Now = end;
        }
    }

    /// <summary>
    /// Does something after some virtual time that belongs to no node: a kill, a partition, the arrival of a packet.
    /// Exceptions of <paramref name="action"/> leave through the run that is under way.
    /// </summary>
    /// <param name="delay">At least 0.</param>
    /// <param name="action">What to do.</param>
    /// <returns>Dispose to cancel.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="delay"/> is negative.</exception>
    public IDisposable After(TimeSpan delay, Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        var timer = new SimulatedTimer(null, action, null, null);
        Set(timer, delay);
        return timer;
    }

    /// <summary>Kills every node and gives the thread back as it was.</summary>
    public void Dispose()
    {
        foreach (SimulatedNode node in _nodes)
        {
            node.Kill();
        }

        _ambience.Restore();
        _trace.Dispose();
    }

    /// <summary>Does something inside the simulation without letting it run on.</summary>
    internal void Do(Action action)
    {
        if (!IsOnItsThread)
        {
            throw new InvalidOperationException(
                "A simulation belongs to the thread that made it. Do not await in a test that uses one.");
        }

        _ambience.Install(_tasks.IsAtWork);
        _tasks.Run(action);
    }

    /// <summary>Queues a run, unless its node is dead.</summary>
    internal void Enqueue(SimulatedNode? node, string path, IRunnable work)
    {
        if (!IsOnItsThread)
        {
            ReportOutside($"work of {node?.Label ?? "the simulation"} {path} was queued ({work.GetType()})");
        }
        else if (node is not { IsKilled: true })
        {
            var run = new QueuedRun(node, path, _nextRunId++, work);
            if (node is { IsPaused: true })
            {
                node.Hold(run);
            }
            else
            {
                _runs.Add(run);
            }
        }
    }

    /// <summary>Sets aside what a node that is paused has queued.</summary>
    internal void SetAside(SimulatedNode node)
    {
        foreach (QueuedRun run in _runs.Waiting.Where(run => run.Node == node).ToList())
        {
            node.Hold(run);
        }

        _runs.Drop(node);
        _trace.Node(Now, node, "pause");
    }

    /// <summary>A node that was paused goes on: what it has missed is due now.</summary>
    internal void TakeBack(SimulatedNode node, IEnumerable<QueuedRun> runs, IEnumerable<SimulatedTimer> timers)
    {
        _trace.Node(Now, node, "resume");
        foreach (QueuedRun run in runs)
        {
            _runs.Add(run);
        }

        foreach (SimulatedTimer timer in timers)
        {
            _timers.Add(timer, Now);
        }
    }

    /// <summary>What becomes of a message that is about to wait in a mailbox: usually itself.</summary>
    internal IReadOnlyList<object>? Altered(SimulatedNode node, string receiver, in Envelope envelope)
    {
        var sent = new SentMessage(node, receiver, envelope.Message, envelope.Sender);
        return StandIn?.Invoke(sent) == true ? [] : Interceptor?.Invoke(sent);
    }

    /// <summary>Sets a timer.</summary>
    internal void Set(SimulatedTimer timer, TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        if (!IsOnItsThread)
        {
            ReportOutside($"a timer of {timer.Node?.Label ?? "the simulation"} was set");
            return;
        }

        _timers.Add(timer, delay > TimeSpan.MaxValue - Now ? TimeSpan.MaxValue : Now + delay);
    }

    /// <summary>Drops what a node that was killed has queued.</summary>
    internal void Drop(SimulatedNode node)
    {
        _runs.Drop(node);
        _trace.Node(Now, node, "kill");
    }

    /// <summary>Notes that something happened or will happen outside the loop; the loop throws at its next step.</summary>
    internal void ReportOutside(string what) =>
        _outside.Enqueue($"{what} on thread {Environment.CurrentManagedThreadId} ({Thread.CurrentThread.Name ?? "unnamed"})");

    /// <summary>Traces and counts a message that is about to be handled.</summary>
    internal void TraceMessage(SimulatedNode node, string receiver, Envelope envelope)
    {
        MessageCount++;
        MessageHandled?.Invoke(new SentMessage(node, receiver, envelope.Message, envelope.Sender));
        _trace.Message(Now, node, receiver, TracedPath.Of(envelope.Sender), envelope.Message);
    }

    /// <summary>Traces a system message that is being sent.</summary>
    internal void TraceSystemMessage(SimulatedNode node, IActorRef receiver, SystemMessage message)
    {
        if (IsOnItsThread)
        {
            _trace.SystemMessage(Now, $"{node.Label} {TracedPath.Of(receiver)}", message);
        }
    }

    /// <summary>Traces an event of a node.</summary>
    internal void TraceNode(SimulatedNode node, string what) => _trace.Node(Now, node, what);
}
