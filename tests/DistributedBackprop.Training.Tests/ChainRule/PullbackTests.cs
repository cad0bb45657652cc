using CsCheck;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Training.Tests.ChainRule;

/// <summary>The float pullbacks against the reference in double, which is itself held to central finite differences.</summary>
public sealed class PullbackTests
{
    private const double Rounding = 5e-5;

    [Fact]
    public void Every_gradient_is_the_mathematics_within_rounding()
    {
        var kinds = new HashSet<string>();
        var pool = new TensorPool();
        new RandomJobs().Sample(
            random =>
            {
                var count = Math.Min(7, random.Data.TrainLabels.Length);
                using var loop = new GraphLoop(random.Job, new Workspace(pool, SequentialTiles.Instance));
                var loss = loop.Run(random.Data.TrainFeatures[..count], random.Data.TrainLabels[..count], 1);
                var exact = Reference(random.Job).Evaluate(
                    ParametersOf(loop, loop.Parameters),
                    [.. random.Data.TrainFeatures[..count].Select(Widened)],
                    random.Data.TrainLabels[..count]);

                // Where a value rounds to the other side of a kink, float and double take different branches.
                if (exact.NearestKink < 1e-4)
                {
                    return;
                }

                loss.ShouldBe(exact.Loss, Rounding * (1 + Math.Abs(exact.Loss)));
                foreach (var (name, values) in ParametersOf(loop, loop.Gradients))
                {
                    ShouldBeClose(values, exact.Gradient[name], name);
                }

                kinds.UnionWith(random.Job.Model.Layers.Select(layer => layer.Kind.ToString()!.Split(' ')[0]));
            },
            iter: 500,
            threads: 1);
        kinds.Count.ShouldBe(6);
        pool.Outstanding.ShouldBe(0);
    }

    [Fact]
    public void A_composition_has_the_bits_of_the_fused_layer() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[0, 9], Gen.Enum<ActivationFunction>()).Sample(
            (units, inputs, rows, function) =>
            {
                if (function is ActivationFunction.Softmax or ActivationFunction.Gelu or ActivationFunction.GeluTanh)
                {
                    return;
                }

                var activation = new Activation(function, 0.1);
                var shape = new Shape(inputs);
                var kind = new DenseKind(units, activation, true, new Initializer(InitializerKind.Default));
                var fused = new DenseLayer(shape, kind);
                var composed = new Sequential(
                    new DenseLayer(shape, kind with { Activation = null }), new ActivationLayer(new Shape(units), activation));
                GoThrough(composed, rows).ShouldBe(GoThrough(fused, rows));
            },
            iter: 200);

    private static DoubleReference Reference(TrainingJob job)
    {
        var rates = job.Model.Layers.Where(layer => layer.Kind is DropoutKind)
            .ToDictionary(layer => layer.Name, layer => (float)((DropoutKind)layer.Kind).Rate);
        return new DoubleReference(
            job.Model,
            job.Loss,
            (layer, example, element) =>
                new Philox(job.Seed, "dropout", layer).Uniform(element, (uint)example, 1) < rates[layer]);
    }

    private static Dictionary<string, double[]> ParametersOf(GraphLoop loop, Parameters[] layers) => (
        from node in loop.Graph.Nodes
        from slot in node.Layer.Parameters.Slots
        select (Name: $"{node.Name}.{slot.Name}", Values: Widened(layers[node.Index][slot].ToArray())))
        .ToDictionary(x => x.Name, x => x.Values);

    private static double[] Widened(float[] values) => [.. values.Select(value => (double)value)];

    private static void ShouldBeClose(double[] actual, double[] exact, string name)
    {
        var scale = 1 + exact.Max(Math.Abs);
        for (var i = 0; i < exact.Length; i++)
        {
            actual[i].ShouldBe(exact[i], Rounding * scale, $"{name}[{i}]");
        }
    }

    // Output, input delta and gradient of some fixed numbers, as bits.
    private static int[] GoThrough(Layer layer, int rows)
    {
        var workspace = new Workspace(new TensorPool(), SequentialTiles.Instance);
        using var parameters = Parameters.Rent(workspace.Pool, layer.Parameters, layer.PackedLength);
        layer.Initialize(parameters, "layer", 3);
        layer.Prepare(parameters, 0, layer.Parameters.Length);
        using var gradient = Parameters.Rent(workspace.Pool, layer.Parameters);
        using var input = Tensor.Rent(workspace.Pool, new Shape(rows, layer.Parameters.Slots[0].Shape[1]));
        new Philox(1, "test", "input").FillUniform(input.Floats, 0, 0, 0);
        var (output, pullback) = layer.Forward(parameters, [input], new ForwardPass(workspace, true, 1, 0));
        var delta = Tensor.Rent(workspace.Pool, output.Shape);
        new Philox(1, "test", "delta").FillUniform(delta.Floats, 0, 0, 0);
        var inputDeltas = new Tensor?[1];
        pullback!.Apply(delta, new BackwardPass(workspace, gradient, false, new[] { true }), inputDeltas);
        int[] bits =
        [
            .. output.Floats.ToArray().Concat(inputDeltas[0]!.Floats.ToArray()).Concat(gradient.Vector.Floats.ToArray())
                .Select(BitConverter.SingleToInt32Bits),
        ];
        pullback.Dispose();
        output.Dispose();
        inputDeltas[0]!.Dispose();
        return bits;
    }
}
