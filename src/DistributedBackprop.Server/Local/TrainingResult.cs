using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Local;

/// <summary>How a job ended, and its weights where it completed. Its owner disposes of it.</summary>
/// <param name="outcome">Completed, failed or cancelled.</param>
/// <param name="graph">The network.</param>
/// <param name="parameters">The final parameters in graph order; none unless it completed.</param>
/// <param name="peakInFlight">
/// The most micro-batches that each layer of the first replica held between forward and backward; none unless it
/// completed.
/// </param>
public sealed class TrainingResult(
    TrainingEvent outcome, Graph graph, ImmutableArray<Parameters> parameters, ImmutableArray<int> peakInFlight) : IDisposable
{
    /// <summary>Completed, failed or cancelled.</summary>
    public TrainingEvent Outcome { get; } = outcome;

    /// <summary>The network.</summary>
    public Graph Graph { get; } = graph;

    /// <summary>The final parameters in graph order; none unless it completed.</summary>
    public ImmutableArray<Parameters> Parameters { get; } = parameters;

    /// <summary>The most micro-batches that each layer of the first replica held; none unless it completed.</summary>
    public ImmutableArray<int> PeakInFlight { get; } = peakInFlight;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in Parameters)
        {
            layer.Dispose();
        }
    }
}
