using System.Diagnostics;
using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// The training of a chain of layers as one would write it without actors: the same layers, pullbacks and updates, one
/// after the other in one loop. What actors and messages cost is what they take longer.
/// </summary>
internal sealed class PlainLoop : IDisposable
{
    private readonly TrainingJob _job;
    private readonly Graph _graph;
    private readonly Workspace _workspace;
    private readonly Optimizer _optimizer;
    private readonly Loss _loss;
    private readonly StepPlan _plan;
    private readonly EpochOrder _epochOrder;
    private readonly int[] _order;
    private readonly Parameters[] _parameters;
    private readonly Parameters[] _gradients;
    private readonly OptimizerState[] _states;
    private readonly Pullback?[] _pullbacks;
    private readonly Tensor?[] _inputDelta = new Tensor?[1];
    private long _step;

    public PlainLoop(TrainingJob job, TensorPool pool, ITiles tiles)
    {
        _job = job;
        _graph = Graph.Of(job.Model, job.Seed);
        _workspace = new Workspace(pool, tiles);
        _optimizer = Optimizer.Of(job.Optimizer);
        _loss = Loss.Of(job.Loss, _graph.Output);
        _plan = new StepPlan(job.Training, MlpWorkload.Examples);
        _epochOrder = new EpochOrder(job.Seed, MlpWorkload.Examples, job.Data.Shuffle);
        _order = new int[MlpWorkload.Examples];
        _parameters = [.. _graph.Nodes.Select(node => Fresh(node, pool))];
        _gradients = [.. _graph.Nodes.Select(node => Parameters.Rent(pool, node.Layer.Parameters))];
        _states = [.. _graph.Nodes.Select(node => OptimizerState.Rent(pool, _optimizer, node.Layer.Parameters.Length))];
        _pullbacks = new Pullback?[_graph.Nodes.Length];
        Phases = [
            "gather",
            .. _graph.Nodes.Select(node => $"{node.Name} forward"),
            "loss",
            .. _graph.Nodes.Reverse().SelectMany(node => new[] { $"{node.Name} backward", $"{node.Name} update" })];
        Times = [.. Phases.Select(_ => new Samples())];
    }

    /// <summary>What a step is made of, in order.</summary>
    public string[] Phases { get; }

    /// <summary>Microseconds of each phase, a sample for each step; kept only while <see cref="IsTimed"/>.</summary>
    public Samples[] Times { get; }

    /// <summary>Whether phases are timed.</summary>
    public bool IsTimed { get; set; }

    /// <summary>The hash of the weights now.</summary>
    public string WeightsSha256
    {
        get
        {
            using var hash = new WeightsHash();
            foreach (var parameters in _parameters)
            {
                hash.Append(parameters.Vector.Floats);
            }

            return hash.ToString();
        }
    }

    /// <summary>Trains some steps.</summary>
    /// <returns>Examples per second.</returns>
    public double Train(long steps)
    {
        var examples = 0L;
        var start = Stopwatch.GetTimestamp();
        for (var i = 0L; i < steps; i++)
        {
            examples += Step();
        }

        return examples / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose()
    {
        for (var i = 0; i < _parameters.Length; i++)
        {
            _parameters[i].Dispose();
            _gradients[i].Dispose();
            _states[i].Dispose();
        }
    }

    private int Step()
    {
        _step++;
        var phase = 0;
        var last = Stopwatch.GetTimestamp();
        void Mark()
        {
            if (IsTimed)
            {
                Times[phase++].Add(Stopwatch.GetElapsedTime(last).TotalMicroseconds);
                last = Stopwatch.GetTimestamp();
            }
        }

        var batch = _plan.At(_step);
        if (batch.Offset == 0)
        {
            _epochOrder.Fill(batch.Epoch, _order);
        }

        var value = Tensor.Rent(_workspace.Pool, _graph.Input.Stacked(batch.Count));
        using var labels = Tensor.Rent(_workspace.Pool, new Shape(batch.Count), ElementType.Int32);
        MlpWorkload.Data.Train.Gather(
            _order.AsSpan(batch.Offset, batch.Count), MlpWorkload.Data.Factor, value.Floats, labels.Integers);
        Mark();
        foreach (var node in _graph.Nodes)
        {
            var (output, pullback) = node.Layer.Forward(
                _parameters[node.Index], [value], new ForwardPass(_workspace, true, _step, 0));
            value.Dispose();
            value = output;
            _pullbacks[node.Index] = pullback;
            Mark();
        }

        var delta = Tensor.Rent(_workspace.Pool, value.Shape);
        var sum = 0.0;
        var correct = 0L;
        _loss.Judge(value, labels.Integers, batch.Count, ref sum, ref correct, delta);
        value.Dispose();
        Mark();
        for (var i = _graph.Nodes.Length - 1; i >= 0; i--)
        {
            using (var pullback = _pullbacks[i]!)
            {
                pullback.Apply(
                    delta,
                    new BackwardPass(_workspace, _gradients[i], false, _graph.Nodes[i].InputDeltaWanted.AsMemory()),
                    _inputDelta);
            }

            delta = _inputDelta[0]!;
            Mark();
            Update(_graph.Nodes[i]);
            Mark();
        }

        return batch.Count;
    }

    private void Update(GraphNode node)
    {
        var rate = LearningRates.At(_job.Optimizer.LearningRate, _step, _plan.TotalSteps) * node.Description.LearningRateFactor;
        new SharedUpdate(
            _step, rate, [new Leaf(_gradients[node.Index].Vector)], _parameters[node.Index], _parameters[node.Index], _states[node.Index])
            .Apply(node.Layer, _optimizer, new Slice(0, node.Layer.Parameters.Length), _workspace.Tiles);
    }

    private Parameters Fresh(GraphNode node, TensorPool pool)
    {
        var layer = node.Layer;
        var parameters = Parameters.Rent(pool, layer.Parameters, layer.PackedLength);
        layer.Initialize(parameters, node.Name, _job.Seed);
        for (var start = 0; start < layer.Parameters.Length; start += layer.UpdateBlock)
        {
            layer.Prepare(parameters, start, Math.Min(layer.UpdateBlock, layer.Parameters.Length - start));
        }

        return parameters;
    }
}
