using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>A process of a simulated cluster: an actor system, its memory and its end of the network for tensors.</summary>
internal sealed class SimulatedHost : INodeLife
{
    private readonly Action<SimulatedHost> _refused;

    public SimulatedHost(SimulatedNode node, TensorNetwork tensors, bool isCoordinator, Action<SimulatedHost> refused)
    {
        (Node, IsCoordinator, _refused) = (node, isCoordinator, refused);
        Plane = new SimulatedPlane(node, tensors, Pool, node.Ordinal + 1);
        Description = new NodeDescription(node.Name, 1, Plane.EndPoint, node.Ordinal, "simulated", "simulated");
    }

    public SimulatedNode Node { get; }

    public string Name => Node.Name;

    /// <summary>Whether a coordinator's process runs here, be it the newest or one that only believes to be.</summary>
    public bool IsCoordinator { get; }

    public TensorPool Pool { get; } = new();

    public SimulatedPlane Plane { get; }

    public NodeDescription Description { get; }

    /// <summary>The node's agent; nobody on the coordinator's host.</summary>
    public IActorRef Agent { get; private set; } = ActorRefs.Nobody;

    /// <summary>The directories that have asked.</summary>
    public Directories Directories { get; } = new();

    /// <summary>Starts the agent of a worker, or who stands in for it.</summary>
    public void StartAgent(IDataSets data, Props? standIn)
    {
        var equipment = new NodeEquipment(this, LayerThreads.Sequential, Pool, data, Plane);
        Agent = Node.System.ActorOf(standIn ?? NodeActor.Props(equipment), NodeActorHosting.Name);
    }

    public void OnDirectory(IActorRef directory) => Directories.Add(directory);

    public void OnRefused(string reason) => _refused(this);
}
