using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// −t·log σ(x) − (1−t)·log(1−σ(x)) as max(x, 0) − x·t + log(1 + e⁻|ˣ|), the mean over all elements; its delta is
/// (σ(x) − t) / (N·elements). With one output the target is the label, 0 or 1; with more it is one-hot.
/// </summary>
/// <param name="elements">Logits of one example.</param>
public sealed class BinaryCrossEntropy(int elements) : Loss
{
    /// <inheritdoc/>
    public override string Name => "binaryCrossEntropy";

    /// <inheritdoc/>
    public override double MeanOver(long examples) => (double)examples * elements;

    /// <inheritdoc/>
    public override void Judge(
        Tensor outputs, ReadOnlySpan<int> labels, int stepExamples, ref double sum, ref long correct, Tensor? delta)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        LossKernels.BinaryCrossEntropy(
            outputs.Floats, labels, stepExamples, delta is null ? default : delta.Floats, ref sum, ref correct);
    }
}
