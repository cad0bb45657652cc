using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// Parameter averaging (local SGD; Stich 2019) with an outer optimizer (DiLoCo; Douillard et al. 2023). The order of
/// operations, all in float32 where nothing else is said:
/// <list type="number">
/// <item>A replica's step is the mean over its own slice: deltas are scaled by 1/(its examples). A replica without
/// examples in a step does not update in it, and its optimizer does not count it; the learning rate goes by the job's
/// step.</item>
/// <item>A round follows each step that is a multiple of <c>every</c>, and the job's last step if it is none.</item>
/// <item>weight of a replica: w = (float)((double)its examples since the last round / all replicas' examples since it).</item>
/// <item>mean = tree over replicas of w·p.</item>
/// <item>Where η = 1 and μ = 0: θ = mean. So one replica equals training without averaging, bit for bit.</item>
/// <item>Else Δ = θ − mean; b = fma(μ, b, Δ), b from +0; step = Nesterov ? fma(μ, b, Δ) : b; θ = fma(−η, step, θ);
/// η and μ cast from double.</item>
/// <item>Each replica goes on from θ. Its moments stay; or become the tree's sum of w·moment, each replica keeping its own
/// count of updates; or begin at +0 with the count at 0.</item>
/// <item>Evaluation and <c>stopWhen</c> use the newest round's θ. Where <c>stopWhen</c> ends the job between rounds, the
/// last round follows the decision, and the last epoch is evaluated anew.</item>
/// </list>
/// </summary>
public sealed class PlainParameterAveraging : IPlainAveraging
{
    private readonly TrainingJob _job;
    private readonly ParameterAveraging _choice;
    private readonly PlainGraph _graph;
    private readonly long _totalSteps;
    private readonly float[][][] _replicas;
    private readonly PlainOptimizer[] _optimizers;
    private readonly long[] _examples;
    private readonly float[][] _outerBuffer;

    /// <summary>Replicas that all begin with the same parameters.</summary>
    public PlainParameterAveraging(
        TrainingJob job, ParameterAveraging choice, PlainGraph graph, float[][] parameters, long totalSteps)
    {
        (_job, _choice, _graph, _totalSteps) = (job, choice, graph, totalSteps);
        var replicas = job.Parallelism.Replicas;
        Parameters = parameters;
        _replicas = [.. Enumerable.Range(0, replicas).Select(_ => Copy(parameters))];
        _optimizers = [.. Enumerable.Range(0, replicas).Select(_ => new PlainOptimizer(job.Optimizer, graph))];
        _examples = new long[replicas];
        _outerBuffer = graph.Zeros();
    }

    /// <summary>Of the newest round.</summary>
    public float[][] Parameters { get; }

    /// <inheritdoc/>
    public float[][] Own(int replica) => _replicas[replica];

    /// <inheritdoc/>
    public double Step(PlainBatch batch)
    {
        var loss = Learn(batch);
        if (batch.Step % _choice.Every == 0)
        {
            Round();
        }

        return loss;
    }

    /// <inheritdoc/>
    public double Learn(PlainBatch batch)
    {
        var rate = PlainRates.At(_job.Optimizer.LearningRate, batch.Step, _totalSteps);
        var slices = PlainBatches.Cut(new PlainSlice(0, batch.Labels.Length), _replicas.Length);
        var losses = new double[_replicas.Length];
        for (var r = 0; r < _replicas.Length; r++)
        {
            if (slices[r].Count > 0)
            {
                var share = PlainReplica.Work(_job, _graph, _replicas[r], batch, slices[r], slices[r].Count);
                _optimizers[r].Update(_replicas[r], share.Gradient, rate);
                _examples[r] += slices[r].Count;
                losses[r] = share.Loss;
            }
        }

        return PlainTree.Sum(losses);
    }

    /// <inheritdoc/>
    public void Finish()
    {
        if (_examples.Sum() > 0)
        {
            Round();
        }
    }

    private void Round()
    {
        var (rate, momentum) = ((float)_choice.Outer.LearningRate, (float)_choice.Outer.Momentum);
        var isPlain = _choice.Outer is { LearningRate: 1, Momentum: 0 };
        var mean = Mean(_replicas);
        for (var p = 0; p < mean.Length; p++)
        {
            for (var e = 0; e < mean[p].Length; e++)
            {
                ref var theta = ref Parameters[p][e];
                ref var buffer = ref _outerBuffer[p][e];
                var change = theta - mean[p][e];
                buffer = MathF.FusedMultiplyAdd(momentum, buffer, change);
                var step = _choice.Outer.Nesterov ? MathF.FusedMultiplyAdd(momentum, buffer, change) : buffer;
                theta = isPlain ? mean[p][e] : MathF.FusedMultiplyAdd(-rate, step, theta);
            }
        }

        PassOnState();
        for (var r = 0; r < _replicas.Length; r++)
        {
            _replicas[r] = Copy(Parameters);
            _examples[r] = 0;
        }
    }

    private void PassOnState()
    {
        var (first, second) = (Mean([.. _optimizers.Select(o => o.First)]), Mean([.. _optimizers.Select(o => o.Second)]));
        foreach (var optimizer in _optimizers)
        {
            if (_choice.InnerState == InnerState.Average)
            {
                (optimizer.First, optimizer.Second) = (Copy(first), Copy(second));
            }
            else if (_choice.InnerState == InnerState.Reset)
            {
                optimizer.Reset();
            }
        }
    }

    /// <summary>The replicas' mean, weighted by examples since the last round.</summary>
    private float[][] Mean(float[][][] replicas)
    {
        var total = (double)_examples.Sum();
        var weights = _examples.Select(n => (float)(n / total)).ToArray();
        return [.. Enumerable.Range(0, _outerBuffer.Length)
            .Select(p => PlainTree.Sum([.. replicas.Select((v, r) => v[p].Select(x => weights[r] * x).ToArray())]))];
    }

    private static float[][] Copy(float[][] values) => [.. values.Select(v => v.ToArray())];
}
