using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Server.Grpc;

/// <summary>Tells other nodes where this one's service is.</summary>
internal sealed class ServiceDoor : ReceiveActor
{
    /// <summary>The actor's name, on every node.</summary>
    public const string Name = "service";

    public ServiceDoor(Func<ServiceDescribed> describe) => Receive<DescribeService>(_ => Sender.Tell(describe()));

    public static Props Props(Func<ServiceDescribed> describe) => Akka.Actor.Props.Create(() => new ServiceDoor(describe));

    /// <summary>Where a service is, as other nodes reach it.</summary>
    public static DnsEndPoint EndPoint(string host, int port) => new(
        host, port, IPAddress.TryParse(host, out var address) ? address.AddressFamily : AddressFamily.Unspecified);
}
