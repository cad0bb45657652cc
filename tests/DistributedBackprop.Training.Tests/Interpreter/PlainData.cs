namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>What the interpreter learns from and is judged on: plain arrays, in the order of the file.</summary>
/// <param name="TrainFeatures">One array per example, the elements of the model's input in row-major order, scaled.</param>
/// <param name="TrainLabels">One class label per example.</param>
/// <param name="TestFeatures">As <paramref name="TrainFeatures"/>; null without a test set.</param>
/// <param name="TestLabels">As <paramref name="TrainLabels"/>; null without a test set.</param>
public sealed record PlainData(
    float[][] TrainFeatures, int[] TrainLabels, float[][]? TestFeatures = null, int[]? TestLabels = null);

/// <summary>What a run is asked besides the job.</summary>
public sealed record PlainOptions
{
    /// <summary>
    /// Parameters to begin with, by full name (e.g. <c>dense1.weight</c>), all of the model's; null to initialise them.
    /// </summary>
    public IReadOnlyDictionary<string, float[]>? InitialParameters { get; init; }
}
