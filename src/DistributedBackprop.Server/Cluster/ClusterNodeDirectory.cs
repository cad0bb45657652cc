using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// The node directory over Akka.Cluster: asks each worker that comes up what it is, refuses those that do not fit, and
/// tells whoever watches of every change.
/// </summary>
internal sealed class ClusterNodeDirectory : ReceiveActor, IWithTimers
{
    /// <summary>The actor's name, on every coordinator.</summary>
    public const string Name = "directory";

    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(200);

    // Twice what the failure detector takes. Whoever is heard of even then is not what it seems to be, and must end.
    private static readonly TimeSpan _foundWithin = TimeSpan.FromSeconds(20);

    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly NodeRoster _roster;
    private readonly HashSet<IActorRef> _watchers = [];

    // Those that are put down once they are found unreachable. A member that is put down before stays, and keeps out the node
    // that is started anew in its place, until the failure detector has found it: one that is up makes room at once.
    private readonly HashSet<UniqueAddress> _dead = [];
    private ImmutableArray<NodeInfo> _told = [];

    public ClusterNodeDirectory(string version, string settings)
    {
        _roster = new NodeRoster(version, settings);
        ReceiveMembership();
        Receive<NodeDescribed>(Describe);
        Receive<Again>(_ => AskUnknown());
        Receive<NodeLeaving>(leaving =>
        {
            // Jobs first: a node that has been told so may be gone before a job that has not heard of it puts work there.
            _roster.Leaving(leaving.Node);
            TellChanges();
            Sender.Tell(new LeavingNoted(leaving.Node));
        });
        Receive<NodeIsDead>(Bury);
        Receive<StillReachable>(still => Down(still.Node));
        Receive<WatchNodes>(_ =>
        {
            _watchers.Add(Sender);
            Context.Watch(Sender);
            Sender.Tell(new NodesChanged(_told));
        });
        Receive<Terminated>(gone => _watchers.Remove(gone.ActorRef));
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(string version, string settings) =>
        Akka.Actor.Props.Create(() => new ClusterNodeDirectory(version, settings));

    protected override void PreStart()
    {
        base.PreStart();
        _cluster.Subscribe(
            Self,
            ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IMemberEvent),
            typeof(ClusterEvent.IReachabilityEvent));
        Timers.StartPeriodicTimer(Again.Instance, Again.Instance, _again);
    }

    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        base.PostStop();
    }

    private void ReceiveMembership()
    {
        Receive<ClusterEvent.MemberUp>(e =>
        {
            if (e.Member.HasRole(NodeOptions.Worker))
            {
                _roster.Up(e.Member.Address);
                Ask(e.Member.Address);
            }
        });
        Receive<ClusterEvent.MemberLeft>(e => Change(() => _roster.Leaving(e.Member.Address)));
        Receive<ClusterEvent.MemberExited>(e => Change(() => _roster.Leaving(e.Member.Address)));
        Receive<ClusterEvent.MemberDowned>(Remove);
        Receive<ClusterEvent.MemberRemoved>(Remove);
        Receive<ClusterEvent.IMemberEvent>(_ => { });
        Receive<ClusterEvent.UnreachableMember>(e =>
        {
            Down(e.Member.UniqueAddress);
            Change(() => _roster.Reachable(e.Member.Address, false));
        });
        Receive<ClusterEvent.ReachableMember>(e => Change(() => _roster.Reachable(e.Member.Address, true)));
    }

    // Certain, and so nobody who has work there waits for the failure detector.
    private void Bury(NodeIsDead dead)
    {
        if (_roster.Find(dead.Agent) is not { } address)
        {
            return;
        }

        _log.Warning("{0} is dead: nobody listens there any more", address);
        Change(() => _roster.Remove(address));
        if (_cluster.State.Members.FirstOrDefault(member => member.Address.Equals(address)) is { } member)
        {
            _dead.Add(member.UniqueAddress);
            Timers.StartSingleTimer(member.UniqueAddress, new StillReachable(member.UniqueAddress), _foundWithin);
            if (_cluster.State.Unreachable.Contains(member))
            {
                Down(member.UniqueAddress);
            }
        }
    }

    private void Down(UniqueAddress node)
    {
        if (_dead.Remove(node))
        {
            Timers.Cancel(node);
            _cluster.Down(node.Address);
        }
    }

    private void Remove(ClusterEvent.IMemberEvent gone)
    {
        _dead.Remove(gone.Member.UniqueAddress);
        Timers.Cancel(gone.Member.UniqueAddress);
        Change(() => _roster.Remove(gone.Member.Address));
    }

    private void Change(Action change)
    {
        change();
        TellChanges();
    }

    // What is lost on the way is sent again.
    private void AskUnknown()
    {
        foreach (var address in _roster.Unknown)
        {
            Ask(address);
        }

        foreach (var (address, reason) in _roster.Refused)
        {
            AgentAt(address).Tell(new NodeRefused(reason));
        }
    }

    private static void Ask(Address address) => AgentAt(address).Tell(new DescribeNode());

    private void Describe(NodeDescribed described)
    {
        // An agent in the directory's own process has a path without an address.
        var address = Sender.Path.Address.HasGlobalScope ? Sender.Path.Address : _cluster.SelfAddress;
        if (_roster.Describe(address, described.Description, Sender) is { } reason)
        {
            _log.Warning("Refused: {0}", reason);
            Sender.Tell(new NodeRefused(reason));
            _cluster.Leave(address);
        }

        TellChanges();
    }

    private void TellChanges()
    {
        var nodes = _roster.Nodes;
        if (nodes.SequenceEqual(_told))
        {
            return;
        }

        _told = nodes;
        foreach (var watcher in _watchers)
        {
            watcher.Tell(new NodesChanged(nodes));
        }
    }

    private static ActorSelection AgentAt(Address address) =>
        Context.ActorSelection(new RootActorPath(address) / "user" / NodeActorHosting.Name);

    private sealed record StillReachable(UniqueAddress Node) : INoSerializationVerificationNeeded;

    private sealed class Again : INoSerializationVerificationNeeded
    {
        public static Again Instance { get; } = new();
    }
}
