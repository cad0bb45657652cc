using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// −log softmax(x)[label], fused: the loss is log Σ eˣⁱ⁻ᵐ − (x[label] − m) with m the row's maximum, and its delta is
/// (softmax(x) − onehot(label)) / N.
/// </summary>
/// <param name="classes">Logits of one example.</param>
public sealed class SoftmaxCrossEntropy(int classes) : Loss
{
    /// <inheritdoc/>
    public override string Name => "softmaxCrossEntropy";

    /// <inheritdoc/>
    public override void Judge(
        Tensor outputs, ReadOnlySpan<int> labels, long stepExamples, ref double sum, ref long correct, Tensor? delta)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        LossKernels.SoftmaxCrossEntropy(
            outputs.Floats, labels, classes, stepExamples, ref sum, ref correct, delta is null ? default : delta.Floats);
    }
}
