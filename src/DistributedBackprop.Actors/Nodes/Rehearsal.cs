using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// What a node will compute, computed once on zeros and thrown away: a process compiles a kernel when it first runs, and who
/// comes to a job should not do that while all others wait for its first step.
/// </summary>
internal static class Rehearsal
{
    // Multiply-adds of a layer's pass: kernels are compiled by the first tile of it, so a few examples do.
    private const long MostWork = 200_000_000;
    private const int MostExamples = 1024;

    /// <summary>Goes through the layers that run on this node, one after the other, and the loss.</summary>
    /// <param name="scope">What runs here.</param>
    /// <param name="workspace">What they compute with.</param>
    public static void Run(GenerationScope scope, Workspace workspace)
    {
        var training = scope.Prepare.Job.Training;
        var cuts = (long)scope.Parallelism.Replicas * training.MicroBatches;
        var most = (int)Math.Clamp(training.BatchSize / cuts, 1, MostExamples);
        foreach (var node in scope.Layers.Select(layer => layer.Layer).Distinct().Select(layer => scope.Graph.Nodes[layer]))
        {
            // What is too large for one example is left for the job: there it takes long anyway.
            var work = Math.Max(node.Layer.WorkPerExample, node.Layer.Parameters.Length);
            if (work <= MostWork)
            {
                Run(scope, node, workspace, (int)Math.Clamp(MostWork / Math.Max(1, work), 1, most));
            }
        }

        if (scope.Pipelines.Any(pipeline => pipeline.Stage == scope.Parallelism.Stages - 1))
        {
            Judge(scope, workspace, most);
        }
    }

    private static void Run(GenerationScope scope, GraphNode node, Workspace workspace, int examples)
    {
        var (layer, pool) = (node.Layer, workspace.Pool);
        using var parameters = Parameters.Rent(pool, layer.Parameters, layer.PackedLength);
        parameters.Vector.Floats.Clear();
        for (var start = 0; start < layer.Parameters.Length; start += layer.UpdateBlock)
        {
            layer.Prepare(parameters, start, Math.Min(layer.UpdateBlock, layer.Parameters.Length - start));
        }

        using var gradient = Parameters.Rent(pool, layer.Parameters);
        gradient.Vector.Floats.Clear();
        Tensor[] inputs =
        [
            .. Enumerable.Range(node.FirstEdge, node.Inputs.Length)
                .Select(edge => Tensor.RentZeros(pool, scope.Graph.ShapeOf(scope.Graph.Edges[edge]).Stacked(examples))),
        ];
        var (output, pullback) = layer.Forward(parameters, inputs, new ForwardPass(workspace, IsTraining: true, Step: 1, FirstPosition: 0));
        output.Dispose();
        using (pullback)
        {
            var inputDeltas = new Tensor?[inputs.Length];
            pullback!.Apply(
                Tensor.RentZeros(pool, layer.OutputShape.Stacked(examples)),
                new BackwardPass(workspace, gradient, false, node.InputDeltaWanted.AsMemory()),
                inputDeltas);
            foreach (var tensor in inputDeltas.Concat(inputs))
            {
                tensor?.Dispose();
            }
        }

        if (layer.Parameters.Length > 0)
        {
            Update(scope, layer, workspace, parameters, gradient);
        }
    }

    private static void Update(GenerationScope scope, Layer layer, Workspace workspace, Parameters parameters, Parameters gradient)
    {
        using var state = OptimizerState.Rent(workspace.Pool, scope.Optimizer, layer.Parameters.Length);
        state.Clear();
        using var other = Tensor.RentZeros(workspace.Pool, new Shape(layer.Parameters.Length));
        Leaf[] gradients = scope.Parallelism.Replicas > 1 ? [new Leaf(gradient.Vector), new Leaf(other)] : [new Leaf(gradient.Vector)];
        new SharedUpdate(Step: 1, LearningRate: 0, gradients, parameters, parameters, state)
            .Apply(layer, scope.Optimizer, new Slice(0, layer.Parameters.Length), workspace.Tiles);
    }

    private static void Judge(GenerationScope scope, Workspace workspace, int examples)
    {
        var shape = scope.Graph.Output.Stacked(examples);
        using var outputs = Tensor.RentZeros(workspace.Pool, shape);
        using var delta = Tensor.Rent(workspace.Pool, shape);
        var (sum, correct) = (0.0, 0L);
        Loss.Of(scope.Prepare.Job.Loss, scope.Graph.Output)
            .Judge(outputs, new int[examples], examples, ref sum, ref correct, delta);
    }
}
