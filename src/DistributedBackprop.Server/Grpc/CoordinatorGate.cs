using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Akka.Cluster;
using Akka.Hosting;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Server.Cluster;
using Grpc.Core;
using Grpc.Net.Client;
using Member = Akka.Cluster.Member;

namespace DistributedBackprop.Server.Grpc;

/// <summary>Where the coordinator is, as seen from this node.</summary>
/// <param name="Here">The way to it, where it is in this process; else null.</param>
/// <param name="There">The service of the node that it is on; null where it is here.</param>
internal sealed record CoordinatorPlace(IActorRef? Here, GrpcChannel? There);

/// <summary>
/// Finds the coordinator: the oldest member of that role. Calls that come here are answered there, over the service of
/// that node, in the name of this one.
/// </summary>
internal sealed class CoordinatorGate : IDisposable
{
    /// <summary>The header of a call that a node passes on: it is not passed on again.</summary>
    public const string PassedOn = "backprop-passed-on";

    /// <summary>The header of a call that a node has made before, without an answer: it may have been carried out already.</summary>
    public const string Repeated = "backprop-repeated";

    private static readonly TimeSpan _askFor = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _connectWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(200);

    private readonly ActorSystem _system;
    private readonly IReadOnlyActorRegistry _actors;
    private readonly AccessToken _token;
    private readonly PlaneTls? _tls;
    private readonly ConcurrentDictionary<(DnsEndPoint, bool), GrpcChannel> _channels = new();

    public CoordinatorGate(ActorSystem system, IReadOnlyActorRegistry actors, NodeOptions options)
    {
        _system = system;
        _actors = actors;
        _token = AccessToken.OfNodes(options.Secret);
        _tls = options.Tls;
    }

    private Akka.Cluster.Cluster Cluster => Akka.Cluster.Cluster.Get(_system);

    /// <summary>The members of the cluster, the oldest coordinator marked.</summary>
    public IEnumerable<(Member Member, bool IsCoordinator)> Members
    {
        get
        {
            var state = Cluster.State;
            var oldest = Oldest(state);
            return state.Members.Select(member => (member, member.Equals(oldest)));
        }
    }

    /// <summary>Whether a member answers at present.</summary>
    public bool IsReachable(Member member) => !Cluster.State.Unreachable.Contains(member);

    /// <summary>Whether a member is this node.</summary>
    public bool IsHere(Member member) => member.UniqueAddress.Equals(Cluster.SelfUniqueAddress);

    /// <summary>Finds the coordinator; waits where there is none at present.</summary>
    /// <param name="wasPassedOn">Whether another node has passed the call on to this one, as the coordinator.</param>
    /// <param name="cancellation">Gives the wait up.</param>
    /// <exception cref="RpcException">There is none; the call may be made again.</exception>
    public async Task<CoordinatorPlace> FindAsync(bool wasPassedOn, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                if (await TryFindAsync(wasPassedOn, cancellation) is { } place)
                {
                    return place;
                }

                await Task.Delay(_again, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            throw ServiceErrors.Unavailable("the cluster has no coordinator at present");
        }
    }

    /// <summary>Asks a node where its service is; null where it does not answer.</summary>
    public async Task<ServiceDescribed?> DescribeAsync(Address address, CancellationToken cancellation)
    {
        try
        {
            return await _system.ActorSelection(new RootActorPath(address) / "user" / ServiceDoor.Name)
                .Ask<ServiceDescribed>(new DescribeService(), _askFor, cancellation);
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
        {
            channel.Dispose();
        }
    }

    private async Task<CoordinatorPlace?> TryFindAsync(bool wasPassedOn, CancellationToken cancellation)
    {
        var state = Cluster.State;
        if (Oldest(state) is not { } oldest || state.Unreachable.Contains(oldest))
        {
            return null;
        }

        if (IsHere(oldest))
        {
            return _actors.TryGet<CoordinatorActor>(out var coordinator) ? new CoordinatorPlace(coordinator, null) : null;
        }

        if (wasPassedOn)
        {
            throw ServiceErrors.Unavailable("the coordinator has just moved");
        }

        return await DescribeAsync(oldest.Address, cancellation) is { } service
            ? new CoordinatorPlace(null, _channels.GetOrAdd((service.EndPoint, service.IsTls), at => Connect(at.Item1, at.Item2)))
            : null;
    }

    private static Member? Oldest(ClusterEvent.CurrentClusterState state) => state.Members
        .Where(member => member.HasRole(NodeOptions.Coordinator) && member.Status is MemberStatus.Up or MemberStatus.Leaving)
        .Order(Member.AgeOrdering)
        .FirstOrDefault();

    private GrpcChannel Connect(DnsEndPoint at, bool isTls)
    {
        var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true, ConnectTimeout = _connectWithin }.WithPings();
        if (isTls && _tls is { } tls)
        {
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = tls.ChainPolicy(),
                ClientCertificates = new X509CertificateCollection { tls.Certificate },
            };
        }

        var uri = new UriBuilder(isTls ? Uri.UriSchemeHttps : Uri.UriSchemeHttp, at.Host, at.Port).Uri;
        return GrpcChannel.ForAddress(uri, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = ServiceHosting.LargestMessage,
            MaxSendMessageSize = ServiceHosting.LargestMessage,
        });
    }

    /// <summary>The headers of a call that is passed on.</summary>
    /// <param name="isRepeated">Whether it may have been carried out already.</param>
    public Metadata Headers(bool isRepeated)
    {
        var headers = new Metadata
        {
            { "authorization", _token.Bearer },
            { PassedOn, "1" },
        };
        if (isRepeated)
        {
            headers.Add(Repeated, "1");
        }

        return headers;
    }
}
