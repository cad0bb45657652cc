using System.Collections.Immutable;
using CsCheck;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Jobs;

/// <summary>Random jobs that are valid, with every option in them.</summary>
internal static class RandomJobs
{
    private static Gen<double> Positive { get; } = Gen.OneOf(Gen.Double[1e-6, 10], Gen.Const(1e-8), Gen.Const(1.0), Gen.Const(1e30));
    private static Gen<double> NotNegative { get; } = Gen.OneOf(Gen.Const(0.0), Gen.Const(-0.0), Positive, Gen.Const(double.Epsilon));
    private static Gen<double> BelowOne { get; } = Gen.OneOf(Gen.Const(0.0), Gen.Double[0, 0.999]);

    private static Gen<string> Name { get; } =
        from first in Gen.Char["abcXYZ"]
        from rest in Gen.Char["abcXYZ019_-"].Array[0, 12]
        select first + new string(rest);

    // Letters that YAML could take for something else, and what JSON escapes.
    private static Gen<string> FilePath { get; } =
        Gen.OneOf("a", "1", "null", "true", "a b", "#x", "xy: z", "{a}", "'", "\"q\"", "ü数", "😀", "..a", "-", "~").List[1, 3]
            .Select(parts => string.Join('/', parts));

    private static Gen<IdxFiles> Files { get; } = Gen.Select(FilePath, FilePath, (features, labels) => new IdxFiles(features, labels));

    private static Gen<DataSource> Data { get; } =
        from source in Gen.OneOf<DataSource>(
            Gen.Select(Files, Files.Null(), (train, test) => (DataSource)new IdxData(train, test)),
            Gen.Select(Gen.Int[1, 9000], Gen.Int[0, 9000], Gen.Double[0, 1], (a, b, noise) => (DataSource)new DigitsData(a, b, noise)),
            Gen.Select(Gen.Int[1, 9000], Gen.Int[0, 9000], Gen.Int[2, 100], Gen.Double[0.001, 100], Gen.Double[0, 10],
                (a, b, classes, turns, noise) => (DataSource)new SpiralsData(a, b, classes, turns, noise)),
            Gen.Select(Gen.Int[1, 9000], Gen.Int[0, 9000], Gen.Double[0, 10], (a, b, noise) => (DataSource)new XorData(a, b, noise)))
        from scale in Gen.OneOf(Gen.Const(1.0), Gen.Double[-2, -0.1], Positive)
        from shuffle in Gen.Bool
        select source with { Scale = scale, Shuffle = shuffle };

    private static Gen<Activation> Activation { get; } =
        from function in Gen.Enum<ActivationFunction>()
        from slope in NotNegative
        select function == ActivationFunction.LeakyRelu ? new Activation(function, slope) : new Activation(function);

    private static Gen<Initializer> Initializer { get; } =
        from kind in Gen.Enum<InitializerKind>()
        from std in NotNegative
        select kind == InitializerKind.Normal ? new Initializer(kind, std) : new Initializer(kind);

    private static Gen<LayerKind> Hidden { get; } = Gen.OneOf<LayerKind>(
        Gen.Select(Gen.Int[1, 40], Activation.Null(), Gen.Bool, Initializer,
            (units, activation, bias, initializer) => (LayerKind)new DenseKind(units, activation, bias, initializer)),
        Activation.Select(activation => (LayerKind)new ActivationKind(activation)),
        BelowOne.Select(rate => (LayerKind)new DropoutKind(rate)),
        Gen.Const<LayerKind>(new FlattenKind()),
        Gen.Const<LayerKind>(new AddKind()),
        Gen.Const<LayerKind>(new ConcatKind(1)));

    private static Gen<LearningRate> Rate { get; } = Gen.OneOf<LearningRate>(
        Gen.Select(NotNegative, Gen.Long[0, 99], (value, warmup) => (LearningRate)new ConstantRate(value, warmup)),
        Gen.Select(NotNegative, Gen.Long[1, long.MaxValue], Positive, (from, every, factor) => (LearningRate)new StepRate(from, every, factor)),
        Gen.Select(NotNegative, NotNegative, Gen.Long[0, 99], (from, to, warmup) => (LearningRate)new CosineRate(from, to, warmup)));

    private static Gen<OptimizerChoice> Optimizer { get; } = Gen.OneOf<OptimizerChoice>(
        from rate in Rate
        from momentum in BelowOne
        from nesterov in Gen.Bool
        from decay in NotNegative
        select (OptimizerChoice)new SgdChoice
        {
            LearningRate = rate,
            Momentum = momentum,
            Nesterov = nesterov && momentum > 0,
            WeightDecay = decay,
        },
        from rate in Rate
        from betas in Gen.Select(BelowOne, BelowOne)
        from epsilon in Positive
        from decay in NotNegative
        from decoupled in Gen.Bool
        select (OptimizerChoice)((decoupled ? new AdamWChoice { LearningRate = rate } : new AdamChoice { LearningRate = rate }) with
        {
            Beta1 = betas.Item1,
            Beta2 = betas.Item2,
            Epsilon = epsilon,
            WeightDecay = decay,
        }));

    private static Gen<AveragingChoice> Averaging { get; } = Gen.OneOf<AveragingChoice>(
        Gen.Const<AveragingChoice>(new GradientAveraging()),
        from every in Gen.Long[1, 1000]
        from outer in Gen.Select(Positive, BelowOne, Gen.Bool, (rate, momentum, nesterov) =>
            new OuterOptimizer(rate, momentum, nesterov && momentum > 0))
        from inner in Gen.Enum<InnerState>()
        select (AveragingChoice)new ParameterAveraging(every, outer, inner));

    /// <summary>A valid job.</summary>
    public static Gen<TrainingJob> Any { get; } =
        from name in Name
        from seed in Gen.Long[0, long.MaxValue]
        from data in Data
        from loss in Gen.Enum<LossKind>()
        from model in ModelFor(data)
        from optimizer in Optimizer
        from training in PlanFor(data)
        from parallelism in Gen.Select(Gen.Int[1, 9], Gen.Int[1, model.Layers.Length], Gen.Enum<ScheduleKind>(), Averaging)
        from checkpoints in Gen.Select(Gen.Long[1, 999].Nullable(), Gen.Int[1, 9])
        select new TrainingJob
        {
            Name = name,
            Seed = seed,
            Data = data,
            Model = model,
            Loss = loss,
            Optimizer = optimizer,
            Training = training,
            Parallelism = new Parallelism
            {
                Replicas = parallelism.Item1,
                Stages = parallelism.Item2,
                Schedule = parallelism.Item3,
                Averaging = parallelism.Item4,
            },
            Checkpoints = new CheckpointPlan { EverySteps = checkpoints.Item1, Keep = checkpoints.Item2 },
        };

    private static Gen<Model> ModelFor(DataSource data) =>
        from hidden in Gen.Select(Hidden, Name, NotNegative).List[0, 7]
        select ModelOf(data is DigitsData or IdxData ? new Shape(784) : new Shape(2), data is SpiralsData s ? s.Classes : 10, hidden);

    // A chain, in which `add` and `concat` also take the output of an earlier layer where shapes allow.
    private static Model ModelOf(Shape input, int classes, List<(LayerKind Kind, string Name, double Factor)> hidden)
    {
        var layers = ImmutableArray.CreateBuilder<ModelLayer>();
        List<(string Name, Shape Shape)> outputs = [(Model.InputName, input)];
        foreach (var (kind, name, factor) in hidden)
        {
            var before = outputs[^1];
            var partner = outputs.First(output => kind is not AddKind || output.Shape.Equals(before.Shape));
            ImmutableArray<string> inputs = kind is AddKind or ConcatKind ? [before.Name, partner.Name] : [before.Name];
            layers.Add(new ModelLayer($"{name}{layers.Count}", inputs, kind, factor));
            outputs.Add((layers[^1].Name, ModelShapes.Of(new Model(input, layers.ToImmutable()))[^1].Output));
        }

        layers.Add(new ModelLayer("last", [outputs[^1].Name], new DenseKind(classes, null, true, new(InitializerKind.Default))));
        return new Model(input, layers.ToImmutable());
    }

    private static Gen<TrainingPlan> PlanFor(DataSource data)
    {
        var hasTest = data is IdxData { Test: not null } or DigitsData { TestExamples: > 0 }
            or SpiralsData { TestExamples: > 0 } or XorData { TestExamples: > 0 };
        return
            from batch in Gen.Int[1, 4096]
            from micro in Gen.Int[1, 8]
            from epochs in Gen.Int[1, 99].Nullable()
            from steps in Gen.Long[1, long.MaxValue]
            from accuracy in Gen.Double[0, 1].Nullable()
            from trainLoss in NotNegative.Nullable()
            from patience in Gen.Int[1, 9].Nullable()
            select new TrainingPlan
            {
                BatchSize = batch,
                MicroBatches = micro,
                Epochs = epochs,
                Steps = epochs is null ? steps : null,
                StopWhen = new StopRule
                {
                    TestAccuracy = hasTest ? accuracy : null,
                    TrainLoss = trainLoss,
                    Patience = hasTest ? patience : null,
                },
            };
    }
}
