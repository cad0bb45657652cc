using System.Collections.Immutable;
using System.Numerics;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Explain;

/// <summary>
/// One example's way through the network and back, taken apart: what its layers computed, and what can be computed from
/// that to see the chain rule in it. Pure.
/// </summary>
public sealed class Explanation
{
    /// <summary>The recursion without the table is run where it needs no more multiplications than this.</summary>
    public const int MostRunMultiplications = 20_000_000;

    /// <summary>Takes a record apart.</summary>
    /// <param name="job">The job.</param>
    /// <param name="step">Which step the record is of, from 1.</param>
    /// <param name="pass">A record of one example.</param>
    public Explanation(TrainingJob job, long step, RecordedPass pass)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(pass);
        Job = job;
        Step = step;
        Pass = pass;
        Rules = LayerRule.Of(pass);
        Inner = [.. Rules.Select(rule => rule.Inner(pass.Layers[rule.Node.Index].Delta))];
        var network = new DoubleNetwork(job, pass);
        LossInDouble = network.BaseLoss;
        Quotients = DifferenceQuotients.Of(network, pass).ToImmutableDictionary(quotients => quotients.Layer);
        Effects = UpdateEffect.Of(network, job, pass).ToImmutableDictionary(effect => effect.Layer);
        Count = PathCount.Of(pass.Graph, Rules);
        WithoutTable = Count.WithoutTable <= new BigInteger(MostRunMultiplications) ? PathRecursion.Run(pass, Rules) : null;
    }

    /// <summary>The job.</summary>
    public TrainingJob Job { get; }

    /// <summary>Which step was shown, from 1.</summary>
    public long Step { get; }

    /// <summary>What the layers computed.</summary>
    public RecordedPass Pass { get; }

    /// <summary>The layers' local derivatives, in graph order.</summary>
    public ImmutableArray<LayerRule> Rules { get; }

    /// <summary>δ·f′ of each layer, in graph order: what weights and gradients read.</summary>
    public ImmutableArray<float[]> Inner { get; }

    /// <summary>The example's loss in double precision.</summary>
    public double LossInDouble { get; }

    /// <summary>Gradients beside difference quotients, by layer; only of those with parameters.</summary>
    public ImmutableDictionary<int, DifferenceQuotients> Quotients { get; }

    /// <summary>What each layer's update did, by layer; only of those with parameters.</summary>
    public ImmutableDictionary<int, UpdateEffect> Effects { get; }

    /// <summary>Multiplications with and without the table.</summary>
    public PathCount Count { get; }

    /// <summary>The recursion without the table, really run; null where that would take too long.</summary>
    public PathRecursion? WithoutTable { get; }

    /// <summary>The terms of one element of a layer's delta.</summary>
    public ImmutableArray<DeltaTerm> TermsOf(int layer, int element) => DeltaTerm.Of(Pass, Rules, Inner, layer, element);

    /// <summary>How often one entry of a layer's table is read again.</summary>
    public TableReads ReadsOf(int layer)
    {
        var rule = Rules[layer];
        var wanted = rule.Node.InputDeltaWanted.Count(isWanted => isWanted);
        return rule.IsDense
            ? new TableReads(rule.In + (rule.HasBias ? 1 : 0), wanted * rule.In)
            : new TableReads(0, wanted * Math.Max(1, rule.SoftmaxRow));
    }
}

/// <summary>How often an entry of the table is read: without the table it would be computed anew each time.</summary>
/// <param name="ByGradients">By the gradients of weights and bias.</param>
/// <param name="ByDeltas">By the deltas of the layers before.</param>
public readonly record struct TableReads(int ByGradients, int ByDeltas)
{
    /// <summary>All.</summary>
    public int All => ByGradients + ByDeltas;
}
