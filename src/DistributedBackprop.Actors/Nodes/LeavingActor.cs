using Akka.Actor;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// Takes a node politely out of work: tells every directory until it has noted it, waits until the agent holds nothing
/// any more, says so, and stops. A directory that does not answer while others do is that of a dead process, and is not
/// waited for long.
/// </summary>
public sealed class LeavingActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _othersWithin = TimeSpan.FromSeconds(5);

    private readonly string _node;
    private readonly Directories _directories;
    private readonly IActorRef _agent;
    private readonly HashSet<IActorRef> _noted = [];

    /// <summary>Makes the actor.</summary>
    /// <param name="node">The node's name.</param>
    /// <param name="directories">Those that have asked; where none has, nobody will put work here.</param>
    /// <param name="agent">The node's agent.</param>
    /// <param name="idle">Is called once.</param>
    public LeavingActor(string node, Directories directories, IActorRef agent, Action idle)
    {
        ArgumentNullException.ThrowIfNull(directories);
        (_node, _directories, _agent) = (node, directories, agent);
        Receive<Again>(_ => TellOrGo());
        Receive<LeavingNoted>(_ =>
        {
            if (_noted.Count == 0)
            {
                Timers.StartSingleTimer(Enough.Instance, Enough.Instance, _othersWithin);
            }

            _noted.Add(Sender);
            GoIfNoted();
        });
        Receive<Enough>(_ => Go());
        Receive<NodeIdle>(_ =>
        {
            idle();
            Context.Stop(Self);
        });
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    private IEnumerable<IActorRef> Awaited => _directories.All.Where(directory => !_noted.Contains(directory));

    /// <summary>How to make the actor.</summary>
    public static Props Props(string node, Directories directories, IActorRef agent, Action idle) =>
        Akka.Actor.Props.Create(() => new LeavingActor(node, directories, agent, idle));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        Self.Tell(Again.Instance);
        Timers.StartPeriodicTimer(Again.Instance, Again.Instance, _again);
    }

    private void TellOrGo()
    {
        foreach (var directory in Awaited)
        {
            directory.Tell(new NodeLeaving(_node));
        }

        GoIfNoted();
    }

    private void GoIfNoted()
    {
        if (!Awaited.Any())
        {
            Go();
        }
    }

    private void Go()
    {
        Timers.CancelAll();
        _agent.Tell(new TellWhenIdle());
    }

    private sealed class Again : INoSerializationVerificationNeeded
    {
        public static Again Instance { get; } = new();
    }

    private sealed class Enough : INoSerializationVerificationNeeded
    {
        public static Enough Instance { get; } = new();
    }
}
