using System.Collections.Immutable;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Explain;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Explain;

/// <summary>All that is shown of one run of <c>backprop explain</c>.</summary>
/// <param name="Run">The job.</param>
/// <param name="Example">Which training example, from 0.</param>
/// <param name="Steps">Steps that were trained before.</param>
/// <param name="Explanation">The example's way.</param>
/// <param name="Batch">What the layers did with a batch; null where none was asked for.</param>
internal sealed record ExplainedRun(JobRun Run, int Example, long Steps, Explanation Explanation, RecordedPass? Batch)
{
    /// <summary>The layers over the batch; empty without one.</summary>
    public ImmutableArray<LayerHealth> Health { get; } = Batch is null ? [] : LayerHealth.Of(Batch);

    /// <summary>What the layers did with the example.</summary>
    public RecordedPass Pass => Explanation.Pass;

    /// <summary>The example's loss.</summary>
    public double Loss => LossOf(Pass);

    /// <summary>How the replicas average where each has parameters of its own; null where they are all alike.</summary>
    public ParameterAveraging? OwnWays =>
        Run.Job.Parallelism is { Replicas: > 1, Averaging: ParameterAveraging averaging } ? averaging : null;

    /// <summary>The mean loss of a pass.</summary>
    public double LossOf(RecordedPass pass) =>
        pass.LossSum / Training.ChainRule.Loss.Of(Run.Job.Loss, Run.Graph.Output).MeanOver(pass.Examples);

    /// <summary>The loss after all updates, in double precision.</summary>
    public double LossAfter => LastEffect?.LossAfter ?? Explanation.LossInDouble;

    /// <summary>What all updates together were predicted to change.</summary>
    public double Predicted => Explanation.Effects.Values.Sum(effect => effect.Predicted);

    private UpdateEffect? LastEffect => Pass.Moments
        .Where(moment => moment.Kind == MomentKind.Update)
        .Select(moment => Explanation.Effects[moment.Layer])
        .LastOrDefault();

    /// <summary>How the loss is called among layers: in brackets, which no layer's name has.</summary>
    public const string LossName = "(loss)";

    /// <summary>The name of a layer, or of the loss (−1).</summary>
    public string NameOf(int layer) => layer < 0 ? LossName : Run.Graph.Nodes[layer].Name;

    /// <summary>The activation of a layer; null for none.</summary>
    public Activation? ActivationOf(int layer) => Run.Graph.Nodes[layer].Description.Kind switch
    {
        DenseKind dense => dense.Activation,
        ActivationKind kind => kind.Activation,
        _ => null,
    };
}
