namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>The words of the job file: what is read by them is written by them.</summary>
internal static class Vocabulary
{
    public static Words<LossKind> Losses { get; } = new(
        ("softmaxCrossEntropy", LossKind.SoftmaxCrossEntropy),
        ("meanSquaredError", LossKind.MeanSquaredError),
        ("binaryCrossEntropy", LossKind.BinaryCrossEntropy));

    public static Words<ActivationFunction> Activations { get; } = new(
        ("relu", ActivationFunction.Relu),
        ("leakyRelu", ActivationFunction.LeakyRelu),
        ("sigmoid", ActivationFunction.Sigmoid),
        ("tanh", ActivationFunction.Tanh),
        ("gelu", ActivationFunction.Gelu),
        ("geluTanh", ActivationFunction.GeluTanh),
        ("softmax", ActivationFunction.Softmax));

    /// <summary>All but <see cref="InitializerKind.Normal"/>, which is no word alone: it needs its deviation.</summary>
    public static Words<InitializerKind> Initializers { get; } = new(
        ("default", InitializerKind.Default),
        ("heNormal", InitializerKind.HeNormal),
        ("heUniform", InitializerKind.HeUniform),
        ("xavierNormal", InitializerKind.XavierNormal),
        ("xavierUniform", InitializerKind.XavierUniform),
        ("zeros", InitializerKind.Zeros));

    public static Words<ScheduleKind> Schedules { get; } = new(
        ("gpipe", ScheduleKind.GPipe),
        ("1f1b", ScheduleKind.OneForwardOneBackward));

    public static Words<InnerState> InnerStates { get; } = new(
        ("keep", InnerState.Keep),
        ("average", InnerState.Average),
        ("reset", InnerState.Reset));
}
