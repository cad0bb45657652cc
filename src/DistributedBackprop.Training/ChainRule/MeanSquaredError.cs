using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// The mean over all elements of (y − t)², without ½; its delta is 2·(y − t) / (N·elements). With one output the target
/// is the label as a number, with more it is one-hot.
/// </summary>
/// <param name="elements">Outputs of one example.</param>
public sealed class MeanSquaredError(int elements) : Loss
{
    /// <inheritdoc/>
    public override string Name => "meanSquaredError";

    /// <inheritdoc/>
    public override double MeanOver(long examples) => (double)examples * elements;

    /// <inheritdoc/>
    public override void Judge(
        Tensor outputs, ReadOnlySpan<int> labels, int stepExamples, ref double sum, ref long correct, Tensor? delta)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        LossKernels.MeanSquaredError(
            outputs.Floats, labels, stepExamples, delta is null ? default : delta.Floats, ref sum, ref correct);
    }
}
