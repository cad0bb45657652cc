using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>What a replica actor is made of.</summary>
/// <param name="Replica">Which, from 0.</param>
/// <param name="Replicas">How many there are.</param>
/// <param name="AfterStep">The last step trained before it begins: 0 for a fresh network.</param>
/// <param name="MicroBatches">Of one replica's step.</param>
/// <param name="Seed">The job's seed: keys the order of examples.</param>
/// <param name="Shuffle">Whether each epoch has an order of its own.</param>
/// <param name="Input">The shape in which the network takes an example.</param>
/// <param name="Data">The examples.</param>
/// <param name="Plan">Which examples a step takes.</param>
/// <param name="Averaging">What the replicas average: it says whose mean a loss is.</param>
/// <param name="Workspace">Where its tensors come from.</param>
public sealed record ReplicaAssignment(
    int Replica,
    int Replicas,
    long AfterStep,
    int MicroBatches,
    long Seed,
    bool Shuffle,
    Shape Input,
    DataSet Data,
    StepPlan Plan,
    AveragingChoice Averaging,
    Workspace Workspace);
