using System.Collections.Immutable;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Server.Running;

/// <summary>How a job ended, and its weights where it completed. Its owner disposes of it.</summary>
/// <param name="outcome">Completed, failed, cancelled or paused.</param>
/// <param name="graph">The network.</param>
/// <param name="parameters">The final parameters in graph order, a vector for each layer; none unless it completed.</param>
/// <param name="generations">What its generations did.</param>
public sealed class TrainingResult(
    TrainingEvent outcome,
    Graph graph,
    ImmutableArray<Tensor> parameters,
    ImmutableArray<GenerationStatistics> generations) : IDisposable
{
    /// <summary>Completed, failed, cancelled or paused.</summary>
    public TrainingEvent Outcome { get; } = outcome;

    /// <summary>The network.</summary>
    public Graph Graph { get; } = graph;

    /// <summary>The final parameters in graph order, a vector for each layer; none unless it completed.</summary>
    public ImmutableArray<Tensor> Parameters { get; } = parameters;

    /// <summary>What its generations did, in their order.</summary>
    public ImmutableArray<GenerationStatistics> Generations { get; } = generations;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in Parameters)
        {
            layer.Dispose();
        }
    }
}
