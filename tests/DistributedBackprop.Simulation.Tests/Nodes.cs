using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Simulation.Tests;

/// <summary>One node alone on the loop, and the directory that knows it.</summary>
internal static class Nodes
{
    /// <summary>Starts the node's agent; returns the directory.</summary>
    public static IActorRef Start(SimulatedNode node, TensorPool pool, DataSet data) => Start(node, pool, () => data);

    /// <inheritdoc cref="Start(SimulatedNode, TensorPool, DataSet)"/>
    public static IActorRef Start(SimulatedNode node, TensorPool pool, Func<DataSet> data)
    {
        var equipment = new NodeEquipment(
            new LoneNode(new NodeDescription("node", 1, null, 1, "", "")), LayerThreads.Sequential, pool, new Latest(data), null);
        var agent = node.System.ActorOf(NodeActor.Props(equipment), NodeActorHosting.Name);
        return node.System.ActorOf(
            StaticDirectory.Props([new NodeInfo(equipment.Description, agent, NodePresence.Up)]), "directory");
    }

    private sealed class Latest(Func<DataSet> data) : IDataSets
    {
        public void Load(TrainingJob job, IActorRef receiver) => receiver.Tell(new DataLoaded(data(), null));
    }
}
