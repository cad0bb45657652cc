using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.ChainRule;

/// <summary>The layers of a graph one after the other, forward and back, without actors: one minibatch, one replica.</summary>
internal sealed class GraphLoop : IDisposable
{
    private readonly TrainingJob _job;
    private readonly Graph _graph;
    private readonly Workspace _workspace;

    public GraphLoop(TrainingJob job, Workspace workspace)
    {
        _job = job;
        _workspace = workspace;
        _graph = Graph.Of(job.Model, job.Seed);
        Parameters = [.. _graph.Nodes.Select(node => Fresh(node, job.Seed))];
        Gradients = [.. _graph.Nodes.Select(node => Training.ChainRule.Parameters.Rent(workspace.Pool, node.Layer.Parameters))];
    }

    public Graph Graph => _graph;

    public Parameters[] Parameters { get; }

    public Parameters[] Gradients { get; }

    /// <summary>Goes forward and back once; the gradients are those of the mean loss, which it returns.</summary>
    public double Run(float[][] examples, int[] labels, long step)
    {
        var values = new Tensor[_graph.Nodes.Length];
        var pullbacks = new Pullback[_graph.Nodes.Length];
        using var input = Tensor.Rent(_workspace.Pool, _graph.Input.Stacked(examples.Length));
        examples.SelectMany(example => example).ToArray().CopyTo(input.Floats);
        foreach (var node in _graph.Nodes)
        {
            var inputs = node.Inputs.Select(source => source < 0 ? input : values[source]).ToArray();
            (values[node.Index], var pullback) = node.Layer.Forward(
                Parameters[node.Index], inputs, new ForwardPass(_workspace, true, step, 0));
            pullbacks[node.Index] = pullback!;
        }

        var loss = Loss.Of(_job.Loss, _graph.Output);
        var (sum, correct) = (0.0, 0L);
        var deltas = new Tensor?[_graph.Nodes.Length];
        deltas[^1] = Tensor.Rent(_workspace.Pool, values[^1].Shape);
        loss.Judge(values[^1], labels, labels.Length, ref sum, ref correct, deltas[^1]);
        foreach (var node in _graph.Nodes.Reverse())
        {
            Backward(node, pullbacks[node.Index], deltas);
        }

        foreach (var tensor in values)
        {
            tensor.Dispose();
        }

        return sum / loss.MeanOver(labels.Length);
    }

    public void Dispose()
    {
        foreach (var parameters in Parameters.Concat(Gradients))
        {
            parameters.Dispose();
        }
    }

    private void Backward(GraphNode node, Pullback pullback, Tensor?[] deltas)
    {
        var inputDeltas = new Tensor?[node.Inputs.Length];
        using (pullback)
        {
            pullback.Apply(
                deltas[node.Index]!,
                new BackwardPass(_workspace, Gradients[node.Index], false, node.InputDeltaWanted.AsMemory()),
                inputDeltas);
        }

        for (var position = 0; position < inputDeltas.Length; position++)
        {
            if (inputDeltas[position] is { } delta)
            {
                ref var sum = ref deltas[node.Inputs[position]];
                if (sum is null)
                {
                    sum = delta;
                    continue;
                }

                sum = sum.ToSole();
                sum.Add(delta);
                delta.Dispose();
            }
        }
    }

    private Parameters Fresh(GraphNode node, long seed)
    {
        var parameters = Training.ChainRule.Parameters.Rent(_workspace.Pool, node.Layer.Parameters, node.Layer.PackedLength);
        node.Layer.Initialize(parameters, node.Name, seed);
        node.Layer.Prepare(parameters, 0, node.Layer.Parameters.Length);
        return parameters;
    }
}
