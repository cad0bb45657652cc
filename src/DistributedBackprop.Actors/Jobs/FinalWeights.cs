using System.Collections.Immutable;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>The weights that a job ends with.</summary>
/// <param name="graph">The network.</param>
/// <param name="state">The parameters after the last step; borrowed.</param>
internal sealed class FinalWeights(Graph graph, TrainingState state)
{
    /// <summary>The end of a job that has trained all its steps.</summary>
    /// <param name="run">The job.</param>
    /// <param name="progress">How far it has come.</param>
    /// <param name="clock">How long that took.</param>
    /// <param name="examples">Examples that were trained in that time, each counted once.</param>
    /// <param name="nodes">Nodes that work on it.</param>
    /// <param name="recoveries">How often it was recovered.</param>
    public TrainingEvent OutcomeOf(
        JobRun run, JobProgress progress, TrainingClock clock, long examples, int nodes, int recoveries) => Diverged is { } layer
        ? new TrainingFailed(
            run.Id,
            progress.Step,
            layer,
            "its parameters are not finite after it: training diverged (a lower learning rate may help)")
        : new TrainingCompleted(
            run.Id,
            progress.Step,
            progress.Epochs,
            progress.TrainLoss,
            progress.TestLoss,
            progress.TestAccuracy,
            clock.SamplesPerSecond(examples),
            clock.WallSeconds,
            Sha256(),
            nodes,
            recoveries);

    /// <summary>One vector for each layer, in graph order; the caller owns them.</summary>
    public ImmutableArray<Tensor> Vectors(TensorPool pool) =>
    [
        .. graph.Nodes.Select(node => node.Layer.Parameters.Length == 0
            ? Tensor.Rent(pool, new Shape(0))
            : state[new StateVector(node.Index, 0, StateSlot.Parameters)].Share()),
    ];

    /// <summary>The same outside any pool: nobody knows how long they are wanted.</summary>
    public ImmutableArray<float[]> Copies() =>
    [
        .. graph.Nodes.Select(node => node.Layer.Parameters.Length == 0
            ? []
            : state[new StateVector(node.Index, 0, StateSlot.Parameters)].Floats.ToArray()),
    ];

    // The last update is judged by no loss: without a test set only this sees it.
    private string? Diverged => state.Layout.Vectors
        .Where(vector => vector.Slot == StateSlot.Parameters && !state[vector].IsFinite)
        .Select(vector => graph.Nodes[vector.Layer].Name)
        .FirstOrDefault();

    private string Sha256()
    {
        using var hash = new WeightsHash();
        foreach (var vector in state.Layout.Vectors.Where(vector => vector.Slot == StateSlot.Parameters))
        {
            hash.Append(state[vector].Floats);
        }

        return hash.ToString();
    }
}
