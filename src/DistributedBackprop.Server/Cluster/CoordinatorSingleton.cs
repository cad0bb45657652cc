using Akka.Actor;
using Akka.Cluster.Tools.Singleton;
using Akka.Hosting;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Server.Jobs;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Server.Cluster;

/// <summary>The one coordinator of a cluster, on the oldest member of that role.</summary>
internal static class CoordinatorSingleton
{
    /// <summary>Adds what makes this process a candidate.</summary>
    /// <param name="akka">The node's actors.</param>
    /// <param name="options">How it is set up.</param>
    /// <param name="keeper">What the process has.</param>
    /// <param name="storage">Where jobs are kept; null: in memory.</param>
    public static void AddCoordinator(
        this AkkaConfigurationBuilder akka, NodeOptions options, JobKeeper keeper, NodeStorage? storage)
    {
        if (storage is not null)
        {
            akka.AddHocon(JournalPlugin.Configuration(storage.Database), HoconAddMode.Prepend);
        }

        akka.WithActors((system, registry) =>
        {
            var directory = system.ActorOf(
                ClusterNodeDirectory.Props(options.Version, ClusterSettings.Digest(options.Tls is not null)),
                ClusterNodeDirectory.Name);
            registry.Register<ClusterNodeDirectory>(directory);
            registry.Register<CoordinatorActor>(
                Start(system, directory, keeper with { Storage = storage?.Start(system, keeper.Pool, options.Version, options.Name) }, ServiceOf(options)));
        });
    }

    /// <summary>The jobs of a process that serves nobody: they begin when somebody in it runs them.</summary>
    public static JobService WithoutService { get; } = new(null, new JobTableLimits());

    private static JobService ServiceOf(NodeOptions options) => options.Service is { } served
        ? new JobService(new JobLoading(options.AllDataRoots), served.Table)
        : WithoutService;

    // Returns the way to wherever the coordinator is.
    private static IActorRef Start(ActorSystem system, IActorRef directory, JobKeeper keeper, JobService service)
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
