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
/// <param name="Health">The layers over a batch; null where none was asked for.</param>
/// <param name="Batch">How many examples that batch has.</param>
internal sealed record ExplainedRun(
    JobRun Run, int Example, long Steps, Explanation Explanation, ImmutableArray<LayerHealth>? Health, int Batch)
{
    /// <summary>What the layers did with the example.</summary>
    public RecordedPass Pass => Explanation.Pass;

    /// <summary>The example's loss.</summary>
    public double Loss => Pass.LossSum / Training.ChainRule.Loss.Of(Run.Job.Loss, Run.Graph.Output).MeanOver(1);

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
