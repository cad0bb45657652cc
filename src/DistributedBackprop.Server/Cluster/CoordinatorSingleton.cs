using Akka.Actor;
using Akka.Cluster.Tools.Singleton;
using DistributedBackprop.Actors.Jobs;

namespace DistributedBackprop.Server.Cluster;

/// <summary>The one coordinator of a cluster, on the oldest member of that role.</summary>
internal static class CoordinatorSingleton
{
    /// <summary>Starts what makes this process a candidate. Returns the way to wherever the coordinator is.</summary>
    public static IActorRef Start(ActorSystem system, IActorRef directory, JobKeeper keeper, JobService? service)
    {
        // A singleton that stops itself is not started again: its supervisor is the singleton.
        var manager = system.ActorOf(
            ClusterSingletonManager.Props(
                CoordinatorActor.Supervised(directory, keeper, service),
                PoisonPill.Instance,
                ClusterSingletonManagerSettings.Create(system).WithRole(NodeOptions.Coordinator)),
            CoordinatorActor.Name);

        // Its complaint, "after 30 seconds", comes at once where a node starts or leaves; whoever hands in a job has a deadline.
        return system.ActorOf(
            ClusterSingletonProxy.Props(
                manager.Path.ToStringWithoutAddress(),
                ClusterSingletonProxySettings.Create(system)
                    .WithRole(NodeOptions.Coordinator)
                    .WithLogSingletonIdentificationFailure(false)),
            $"{CoordinatorActor.Name}-proxy");
    }
}
