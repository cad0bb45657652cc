using System.Collections.Immutable;
using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>What a layer actor is made of: one layer of one replica.</summary>
/// <param name="Node">The layer and its place in the graph.</param>
/// <param name="Replica">Whose pipeline it belongs to, from 0.</param>
/// <param name="Replicas">How many there are.</param>
/// <param name="AfterStep">The last step of what it begins with: 0 for a fresh network.</param>
/// <param name="Order">What its stage does in a step.</param>
/// <param name="Averaging">What it averages with the same layer in the other replicas.</param>
/// <param name="Optimizer">How it updates.</param>
/// <param name="LearningRate">The job's rate.</param>
/// <param name="TotalSteps">Steps of the job: where a cosine ends.</param>
/// <param name="Workspace">What it computes with.</param>
/// <param name="Stage">Measures its stage.</param>
/// <param name="Meter">Measures the averagings of its node.</param>
public sealed record LayerAssignment(
    GraphNode Node,
    int Replica,
    int Replicas,
    long AfterStep,
    ImmutableArray<StageOperation> Order,
    AveragingChoice Averaging,
    Optimizer Optimizer,
    LearningRate LearningRate,
    long TotalSteps,
    Workspace Workspace,
    StageMeter Stage,
    AveragingMeter Meter)
{
    /// <summary>Watches the layer; null in training.</summary>
    public IPassObserver? Observer { get; init; }

    /// <summary>The layer's own rate of a step.</summary>
    public double RateAt(long step) => LearningRates.At(LearningRate, step, TotalSteps) * Node.Description.LearningRateFactor;
}
