using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Explain;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Training.Tests.Explain;

/// <summary>Records a first step without actors: the layers one after the other, then their updates from the output back.</summary>
internal static class PassByLoop
{
    public static RecordedPass Record(TrainingJob job, float[][] examples, int[] labels)
    {
        var pool = new TensorPool();
        var workspace = new Workspace(pool, SequentialTiles.Instance);
        var graph = Graph.Of(job.Model, job.Seed);
        var pass = new RecordedPass(graph) { Features = [.. examples.SelectMany(values => values)], Labels = labels };
        var (values, pullbacks, parameters) = (new Tensor[graph.Nodes.Length], new Pullback[graph.Nodes.Length], new List<Parameters>());
        using var input = Tensor.Rent(pool, graph.Input.Stacked(examples.Length));
        pass.Features.CopyTo(input.Floats);
        foreach (var node in graph.Nodes)
        {
            var own = Parameters.Rent(pool, node.Layer.Parameters, node.Layer.PackedLength);
            node.Layer.Initialize(own, node.Name, job.Seed);
            node.Layer.Prepare(own, 0, node.Layer.Parameters.Length);
            parameters.Add(own);
            (values[node.Index], var pullback) = node.Layer.Forward(
                own, [.. node.Inputs.Select(source => source < 0 ? input : values[source])], new ForwardPass(workspace, true, 1, 0));
            pullbacks[node.Index] = pullback!;
            var layer = pass.Layers[node.Index];
            (layer.Output, layer.Before) = (values[node.Index].Floats.ToArray(), own.Vector.Floats.ToArray());
            var derivative = new float[layer.Output.Length];
            layer.Derivative = pullback!.TryWriteDerivative(derivative) ? derivative : null;
            pass.Add(MomentKind.Forward, node.Index);
        }

        Judge(job, pass, values[^1], pool);
        Backward(job, pass, pullbacks, workspace);
        foreach (var tensor in values)
        {
            tensor.Dispose();
        }

        parameters.ForEach(own => own.Dispose());
        return pass;
    }

    private static void Judge(TrainingJob job, RecordedPass pass, Tensor output, TensorPool pool)
    {
        using var delta = Tensor.Rent(pool, output.Shape);
        var (sum, correct) = (0.0, 0L);
        Loss.Of(job.Loss, pass.Graph.Output).Judge(output, pass.Labels, pass.Labels.Length, ref sum, ref correct, delta);
        (pass.LossSum, pass.Correct, pass.LossDelta) = (sum, correct, delta.Floats.ToArray());
        pass.Add(MomentKind.Loss, -1);
    }

    private static void Backward(TrainingJob job, RecordedPass pass, Pullback[] pullbacks, Workspace workspace)
    {
        var arrived = new Dictionary<int, float[]> { [pass.Graph.LossEdge] = pass.LossDelta };
        foreach (var node in pass.Graph.Nodes.Reverse())
        {
            var layer = pass.Layers[node.Index];
            layer.DeltaParts = [.. node.OutputEdges.Select(edge => arrived[edge])];
            layer.Delta = layer.DeltaParts.Aggregate((sum, next) => [.. sum.Zip(next, (a, b) => a + b)]);
            pass.Add(MomentKind.Delta, node.Index);
            var delta = Tensor.Rent(workspace.Pool, node.Layer.OutputShape.Stacked(pass.Examples));
            layer.Delta.CopyTo(delta.Floats);
            using var gradient = Parameters.Rent(workspace.Pool, node.Layer.Parameters);
            var inputDeltas = new Tensor?[node.Inputs.Length];
            using (pullbacks[node.Index])
            {
                pullbacks[node.Index].Apply(
                    delta, new BackwardPass(workspace, gradient, false, node.InputDeltaWanted.AsMemory()), inputDeltas);
            }

            for (var position = 0; position < inputDeltas.Length; position++)
            {
                if (inputDeltas[position] is { } sent)
                {
                    arrived[node.FirstEdge + position] = sent.Floats.ToArray();
                    sent.Dispose();
                }
            }

            layer.Gradient = gradient.Vector.Floats.ToArray();
            Update(job, pass, layer);
        }
    }

    private static void Update(TrainingJob job, RecordedPass pass, RecordedLayer layer)
    {
        layer.After = layer.Before.ToArray();
        if (layer.Before.Length == 0)
        {
            return;
        }

        pass.Add(MomentKind.Gradient, layer.Node.Index);
        layer.Rate = LearningRates.At(job.Optimizer.LearningRate, 1, 100) * layer.Node.Description.LearningRateFactor;
        Optimizer.Of(job.Optimizer).Update(1, layer.Rate, new OptimizerPart(
            layer.After, layer.Gradient, new float[layer.After.Length], new float[layer.After.Length]));
        pass.Add(MomentKind.Update, layer.Node.Index);
    }

    /// <summary>The first example of a random job's data.</summary>
    public static RecordedPass Record(RandomJob random) =>
        Record(random.Job, random.Data.TrainFeatures[..1], random.Data.TrainLabels[..1]);
}
