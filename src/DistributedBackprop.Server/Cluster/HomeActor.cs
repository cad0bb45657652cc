using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using DistributedBackprop.Actors.Nodes;
using Member = Akka.Cluster.Member;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// Finds out that the cluster goes on elsewhere. A coordinator that is started anew, and to whom none of its former members
/// answers in time, begins a cluster of its own; those members would wait in theirs for a coordinator that never comes, and
/// its jobs for workers. So each node asks its seeds whether they are of one cluster with it. Where its own has no
/// coordinator, and a seed is of one that has, it ends: started anew it joins there.
/// </summary>
internal sealed class HomeActor : ReceiveActor, IWithTimers
{
    /// <summary>The actor's name, on every node.</summary>
    public const string Name = "home";

    private static readonly TimeSpan _every = TimeSpan.FromSeconds(1);

    // One answer may be of a moment ago: the seed was just joining, or has not heard yet of who joined.
    private const int Enough = 3;

    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly Dictionary<Address, int> _elsewhere = [];
    private readonly ImmutableArray<Address> _seeds;
    private readonly INodeLife _life;

    public HomeActor(ImmutableArray<Address> seeds, INodeLife life)
    {
        _seeds = [.. seeds.Where(seed => !seed.Equals(_cluster.SelfAddress))];
        _life = life;
        Receive<DescribeCluster>(asked => Sender.Tell(new ClusterDescribed(
            _cluster.SelfUniqueAddress.Uid,
            IsUp && _cluster.State.Members.Any(Coordinates) && !_cluster.State.Members.Any(member => IsAsker(member, asked)))));
        Receive<ClusterDescribed>(OnDescribed);
        Receive<AskSeeds>(_ =>
        {
            foreach (var seed in IsUp ? _seeds : [])
            {
                Context.ActorSelection(new RootActorPath(seed) / "user" / Name)
                    .Tell(new DescribeCluster(_cluster.SelfAddress.ToString(), _cluster.SelfUniqueAddress.Uid));
            }
        });
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    private bool IsUp => _cluster.SelfMember.Status == MemberStatus.Up;

    /// <summary>How to make the actor.</summary>
    /// <param name="seeds">Where the node looks for its cluster.</param>
    /// <param name="life">Is told when the node must end.</param>
    public static Props Props(ImmutableArray<Address> seeds, INodeLife life) => Akka.Actor.Props.Create(() => new HomeActor(seeds, life));

    protected override void PreStart()
    {
        base.PreStart();
        if (!_seeds.IsEmpty)
        {
            Timers.StartPeriodicTimer(AskSeeds.Instance, AskSeeds.Instance, _every);
        }
    }

    private void OnDescribed(ClusterDescribed described)
    {
        var seed = Sender.Path.Address;

        // A coordinator whose place another incarnation has is gone, whether or not it is found out yet.
        bool Lives(Member member) => Coordinates(member)
            && (!member.Address.Equals(seed) || member.UniqueAddress.Uid == described.Uid);

        if (!described.GoesOnWithoutAsker || !IsUp || _cluster.State.Members.Any(Lives))
        {
            _elsewhere.Remove(seed);
            return;
        }

        _elsewhere[seed] = _elsewhere.GetValueOrDefault(seed) + 1;
        if (_elsewhere[seed] == Enough)
        {
            _life.OnRefused(string.Create(
                CultureInfo.InvariantCulture,
                $"the cluster goes on at {seed.Host}:{seed.Port} without this node, whose own has no coordinator any more: started anew it joins there"));

            // A polite leave would take the consent of those who are gone.
            _cluster.Down(_cluster.SelfAddress);
        }
    }

    private bool Coordinates(Member member) =>
        member.HasRole(NodeOptions.Coordinator)
        && member.Status is MemberStatus.Up or MemberStatus.Leaving
        && !_cluster.State.Unreachable.Contains(member);

    private static bool IsAsker(Member member, DescribeCluster asked) =>
        member.UniqueAddress.Uid == asked.Uid && member.Address.ToString() == asked.Address;

    private sealed class AskSeeds : INoSerializationVerificationNeeded
    {
        public static AskSeeds Instance { get; } = new();
    }
}
