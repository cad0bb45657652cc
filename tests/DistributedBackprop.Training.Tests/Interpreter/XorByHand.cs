using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>A job small enough to follow by hand, in numbers that are sums of few powers of two.</summary>
internal static class XorByHand
{
    /// <summary>The four points of the exclusive or, in one batch.</summary>
    public static PlainData Points { get; } = new([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]);

    /// <summary>The same points to train on and to be judged on.</summary>
    public static PlainData TestedPoints { get; } =
        Points with { TestFeatures = Points.TrainFeatures, TestLabels = Points.TrainLabels };

    /// <summary>h = relu(x₀+x₁, x₀+x₁−1), y = h₀ − 2h₁ + ½: the exclusive or, half too high everywhere.</summary>
    public static PlainOptions Parameters { get; } = new()
    {
        InitialParameters = new Dictionary<string, float[]>
        {
            ["dense1.weight"] = [1, 1, 1, 1],
            ["dense1.bias"] = [0, -1],
            ["dense2.weight"] = [1, -2],
            ["dense2.bias"] = [0.5f],
        },
    };

    /// <summary>Two layers, mean squared error, plain SGD at ½, no shuffling.</summary>
    public static TrainingJob Job(int epochs = 1) => new()
    {
        Name = "xor",
        Data = new XorData { Shuffle = false },
        Model = new Model(new Shape(2),
        [
            new ModelLayer("dense1", [Model.InputName], Dense(2, new Activation(ActivationFunction.Relu))),
            new ModelLayer("dense2", ["dense1"], Dense(1, null)),
        ]),
        Loss = LossKind.MeanSquaredError,
        Optimizer = new SgdChoice { LearningRate = new ConstantRate(0.5) },
        Training = new TrainingPlan { BatchSize = 4, Epochs = epochs },
    };

    private static DenseKind Dense(int units, Activation? activation) =>
        new(units, activation, true, new Initializer(InitializerKind.Default));
}
