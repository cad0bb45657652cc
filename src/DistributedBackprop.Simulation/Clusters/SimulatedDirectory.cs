using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>
/// The node directory of a simulated cluster. It stands for Akka.Cluster: whoever does not answer is unreachable after a
/// while and put down after another; the rest (who is asked what it is, who is shown, who leaves) goes by messages as in
/// production.
/// </summary>
internal sealed class SimulatedDirectory : ReceiveActor, IWithTimers
{
    public const string Name = "directory";

    private static readonly TimeSpan _beat = TimeSpan.FromMilliseconds(200);

    private readonly SimulatedCluster _cluster;
    private readonly SimulatedNode _here;
    private readonly List<Entry> _entries = [];
    private readonly List<IActorRef> _watchers = [];
    private ImmutableArray<NodeInfo> _told = [];

    public SimulatedDirectory(SimulatedCluster cluster, SimulatedNode here)
    {
        _cluster = cluster;
        _here = here;
        Receive<WatchNodes>(_ =>
        {
            _watchers.Add(Sender);
            Context.Watch(Sender);
            Sender.Tell(new NodesChanged(_told));
        });
        Receive<Terminated>(gone => _watchers.Remove(gone.ActorRef));
        Receive<NodeDescribed>(described =>
        {
            var name = Sender.Path.Address.System;
            if (_entries.Find(entry => entry.Host.Name == name) is { Description: null } entry
                && described.Description.ProcessId == entry.Host.Ordinal)
            {
                (entry.Description, entry.Agent) = (described.Description, Sender);
                TellChanges();
            }
        });
        Receive<NodeLeaving>(leaving =>
        {
            if (_entries.Find(entry => entry.Host.Name == leaving.Node) is { } entry)
            {
                entry.IsLeaving = true;
            }

            TellChanges();
            Sender.Tell(new LeavingNoted(leaving.Node));
        });
        Receive<NodeIsDead>(dead =>
        {
            if (_entries.Find(entry => dead.Agent.Equals(entry.Agent)) is { } entry)
            {
                Remove(entry);
                TellChanges();
            }
        });
        Receive<Look>(_ => OnLook());
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        Self.Tell(Look.Instance);
        Timers.StartPeriodicTimer(Look.Instance, Look.Instance, _beat);
    }

    private void OnLook()
    {
        var now = _here.Loop.Now;
        foreach (var host in _cluster.WorkerNodes.Where(host => host.IsAlive && Answers(host)))
        {
            if (_entries.TrueForAll(entry => entry.Host.Name != host.Name))
            {
                _entries.Add(new Entry(host));
            }
        }

        foreach (var entry in _entries.ToList())
        {
            entry.SilentSince = Answers(entry.Host) ? null : entry.SilentSince ?? now;
            var silence = now - entry.SilentSince ?? TimeSpan.Zero;
            entry.IsReachable = silence < _cluster.Options.UnreachableAfter;
            if (silence >= _cluster.Options.RemovedAfter || entry.HasLeft)
            {
                Remove(entry);
            }
            else if (entry.Description is null)
            {
                var agent = $"akka://{entry.Host.Name}/user/{NodeActorHosting.Name}";
                ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(agent).Tell(new DescribeNode(), Self);
            }
        }

        TellChanges();
    }

    private bool Answers(SimulatedNode host) =>
        host is { IsAlive: true, IsPaused: false } && _cluster.Weather.IsOpen(_here.Name, host.Name);

    // A host that is put down and lives ends itself when it hears of it; here it hears of it at once.
    private void Remove(Entry entry)
    {
        _entries.Remove(entry);
        _cluster.OnDowned(_here, entry.Host);
    }

    private void TellChanges()
    {
        ImmutableArray<NodeInfo> nodes =
        [
            .. _entries
                .Where(entry => entry.Description is not null)
                .Select(entry => new NodeInfo(entry.Description!, entry.Agent!, entry.Presence))
                .OrderBy(node => node.Name, StringComparer.Ordinal),
        ];
        if (!nodes.SequenceEqual(_told))
        {
            _told = nodes;
            foreach (var watcher in _watchers)
            {
                watcher.Tell(new NodesChanged(nodes));
            }
        }
    }

    private sealed class Entry(SimulatedNode host)
    {
        public SimulatedNode Host { get; } = host;

        public NodeDescription? Description { get; set; }

        public IActorRef? Agent { get; set; }

        public TimeSpan? SilentSince { get; set; }

        public bool IsReachable { get; set; } = true;

        public bool IsLeaving { get; set; }

        public bool HasLeft => IsLeaving && Host.IsKilled;

        public NodePresence Presence =>
            !IsReachable ? NodePresence.Unreachable : IsLeaving ? NodePresence.Leaving : NodePresence.Up;
    }

    private sealed class Look : INoSerializationVerificationNeeded
    {
        public static Look Instance { get; } = new();
    }
}
