using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>What the actors of a node work with.</summary>
/// <param name="Life">The process.</param>
/// <param name="Threads">The threads of its layers.</param>
/// <param name="Pool">Lends the tensors of every generation.</param>
/// <param name="Data">Where its examples come from.</param>
/// <param name="Plane">Carries tensors to other nodes; null on a node without a network.</param>
public sealed record NodeEquipment(
    INodeLife Life, LayerThreads Threads, TensorPool Pool, IDataSets Data, ITensorPlane? Plane)
{
    /// <summary>Who watches the layers of a job that runs here; null for nobody.</summary>
    public Func<TrainingJob, IPassObserver?>? ObserverOf { get; init; }

    /// <summary>What the node says of itself.</summary>
    public NodeDescription Description => Life.Description;

    /// <summary>The node's name.</summary>
    public string Name => Description.Name;
}
