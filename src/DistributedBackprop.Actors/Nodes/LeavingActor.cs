using Akka.Actor;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// Takes a node politely out of work: tells the directory until that has noted it, waits until the agent holds nothing
/// any more, says so, and stops.
/// </summary>
public sealed class LeavingActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(500);

    private readonly string _node;
    private readonly Func<IActorRef?> _directory;

    /// <summary>Makes the actor.</summary>
    /// <param name="node">The node's name.</param>
    /// <param name="directory">The directory that asked last; null where none has: nobody will put work here.</param>
    /// <param name="agent">The node's agent.</param>
    /// <param name="idle">Is called once.</param>
    public LeavingActor(string node, Func<IActorRef?> directory, IActorRef agent, Action idle)
    {
        ArgumentNullException.ThrowIfNull(directory);
        _node = node;
        _directory = directory;
        Receive<Again>(_ => Ask(agent));
        Receive<LeavingNoted>(_ =>
        {
            Timers.CancelAll();
            agent.Tell(new TellWhenIdle());
        });
        Receive<NodeIdle>(_ =>
        {
            idle();
            Context.Stop(Self);
        });
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>How to make the actor.</summary>
    public static Props Props(string node, Func<IActorRef?> directory, IActorRef agent, Action idle) =>
        Akka.Actor.Props.Create(() => new LeavingActor(node, directory, agent, idle));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        Self.Tell(Again.Instance);
        Timers.StartPeriodicTimer(Again.Instance, Again.Instance, _again);
    }

    private void Ask(IActorRef agent)
    {
        if (_directory() is { } directory)
        {
            directory.Tell(new NodeLeaving(_node));
        }
        else
        {
            agent.Tell(new TellWhenIdle());
        }
    }

    private sealed class Again : INoSerializationVerificationNeeded
    {
        public static Again Instance { get; } = new();
    }
}
