using Akka.Actor;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>A layer is given what it begins with, before it is connected. The receiver owns all of it.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Parameters">The parameters (with parameter averaging: of the newest round), prepared.</param>
/// <param name="State">The optimizer's state; null for a fresh one, or where another replica of this node keeps it.</param>
/// <param name="Own">With parameter averaging: the replica's own parameters, prepared; null where they are the round's.</param>
/// <param name="Momentum">With parameter averaging: the outer optimizer's; null as for the state.</param>
/// <param name="Counts">With parameter averaging: what the replica has counted.</param>
public sealed record Restore(
    long Generation,
    Parameters Parameters,
    OptimizerState? State = null,
    Parameters? Own = null,
    Tensor? Momentum = null,
    ReplicaCounts Counts = default) : IGenerationMessage, INoSerializationVerificationNeeded, IDisposable
{
    /// <summary>Gives up all of it.</summary>
    public void Dispose()
    {
        Parameters.Dispose();
        State?.Dispose();
        Own?.Dispose();
        Momentum?.Dispose();
    }
}
