using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.ChainRule;

/// <summary>
/// −log softmax(x)[label], fused: the loss is log Σ eˣⁱ⁻ᵐ − (x[label] − m) with m the row's maximum, and its delta is
/// (softmax(x) − onehot(label)) / N.
/// </summary>
public sealed class SoftmaxCrossEntropy : Loss
{
    /// <inheritdoc/>
    public override string Name => "softmaxCrossEntropy";

    /// <inheritdoc/>
    public override void Judge(
        Tensor outputs, ReadOnlySpan<int> labels, int stepExamples, ref double sum, ref long correct, Tensor? delta)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        LossKernels.SoftmaxCrossEntropy(
            outputs.Floats, labels, stepExamples, delta is null ? default : delta.Floats, ref sum, ref correct);
    }
}
