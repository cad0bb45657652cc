using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>Where the jobs of a simulated cluster come from.</summary>
internal interface IJobSource
{
    /// <summary>Where nodes have the examples from.</summary>
    IDataSets Data { get; }

    /// <summary>The cluster begins; it has no host yet.</summary>
    void Attach(SimulatedCluster cluster);

    /// <summary>The service that a coordinator on a host has; null where it has none.</summary>
    JobService? ServiceOf(SimulatedHost host);

    /// <summary>A process that coordinates has started: the newest one.</summary>
    void OnCoordinator(SimulatedHost host, IActorRef coordinator);
}
