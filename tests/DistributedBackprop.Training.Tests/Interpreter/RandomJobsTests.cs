using CsCheck;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

public sealed class RandomJobsTests
{
    [Fact]
    public void Models_are_well_formed()
    {
        new RandomJobs().Sample(
            x =>
            {
                var layers = x.Job.Model.Layers;
                layers.Select(l => l.Name).Distinct().Count().ShouldBe(layers.Length);
                layers.ShouldContain(l => l.Kind is DenseKind);
                for (var l = 0; l < layers.Length; l++)
                {
                    var earlier = layers[..l].Select(e => e.Name).Append(Model.InputName).ToArray();
                    layers[l].Inputs.ShouldAllBe(input => earlier.Contains(input));
                    var isConsumed = layers.Any(c => c.Inputs.Contains(layers[l].Name));
                    isConsumed.ShouldBe(l < layers.Length - 1);
                }

                var output = new PlainGraph(x.Job).Output;
                (x.Job.Loss != LossKind.SoftmaxCrossEntropy || output.Rank == 1).ShouldBeTrue();
                x.Data.TrainFeatures.ShouldAllBe(f => f.Length == x.Job.Model.Input.Length);
            },
            iter: 300,
            threads: 1);
    }

    [Fact]
    public void Every_form_occurs_and_training_mostly_stays_finite()
    {
        var seen = new Dictionary<string, int>();
        new RandomJobs().Sample(x => Count(x, seen), iter: 500, threads: 1);
        foreach (var what in Forms)
        {
            seen.GetValueOrDefault(what).ShouldBeGreaterThan(0, what);
        }

        seen["finite"].ShouldBeGreaterThan(480);
    }

    private static string[] Forms { get; } =
    [
        .. Enum.GetNames<ActivationFunction>(), .. Enum.GetNames<InitializerKind>(), .. Enum.GetNames<LossKind>(),
        .. Enum.GetNames<ScheduleKind>(), "ActivationKind", "AddKind", "ConcatKind", "DenseKind", "DropoutKind", "FlattenKind",
        "AdamChoice", "AdamWChoice", "SgdChoice", "ConstantRate", "CosineRate", "StepRate", "fork", "rank 2", "rank 3",
        "concat on a later axis", "empty slice", "short last batch", "no bias", "7 layers", "no test set", "epochs",
        "stopped early", "one element", "softmax in the middle",
    ];

    private static void Count(RandomJob x, Dictionary<string, int> seen)
    {
        var (job, layers, examples) = (x.Job, x.Job.Model.Layers, x.Data.TrainLabels.Length);
        foreach (var layer in layers)
        {
            Saw(layer.Kind.GetType().Name);
            var activation = (layer.Kind as DenseKind)?.Activation ?? (layer.Kind as ActivationKind)?.Activation;
            Saw(activation?.Function.ToString());
            Saw((layer.Kind as DenseKind)?.Initializer.Kind.ToString());
            Saw(layer.Kind is DenseKind { Bias: false }, "no bias");
            Saw(layer.Kind is ConcatKind { Axis: > 1 }, "concat on a later axis");
            Saw(layers.Count(l => l.Inputs.Contains(layer.Name)) > 1, "fork");
            Saw(layer != layers[^1] && layer.Kind is ActivationKind { Activation.Function: ActivationFunction.Softmax },
                "softmax in the middle");
        }

        Saw(job.Loss.ToString());
        Saw(job.Optimizer.GetType().Name);
        Saw(job.Optimizer.LearningRate.GetType().Name);
        Saw(job.Parallelism.Schedule.ToString());
        Saw($"rank {job.Model.Input.Rank}");
        Saw(Math.Min(job.Training.BatchSize, examples) < job.Parallelism.Replicas, "empty slice");
        Saw(examples % job.Training.BatchSize != 0, "short last batch");
        Saw(layers.Length >= 7, "7 layers");
        Saw(x.Data.TestLabels is null, "no test set");
        Saw(job.Training.Epochs is not null, "epochs");
        Saw(new PlainGraph(job).Output.Length == 1, "one element");
        var result = PlainInterpreter.Run(job, x.Data);
        Saw(result.StepLosses.Count < PlainBatches.TotalSteps(job.Training, examples), "stopped early");
        Saw(result.StepLosses.All(double.IsFinite) && result.Parameters.All(p => p.Values.All(float.IsFinite)), "finite");

        void Saw(object? what, string? name = null)
        {
            if (what is not (null or false))
            {
                name ??= (string)what;
                seen[name] = seen.GetValueOrDefault(name) + 1;
            }
        }
    }
}
