using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedBackprop.Training.Tensors;

/// <summary>
/// The losses on class labels, with their deltas. Each takes the outputs of some examples [n, d] and goes on with two
/// running values of the replica's slice: the chain of losses (in double, one addition after the other, elements
/// ascending, over all micro-batches) and the number of examples that were right.
/// <para>
/// The deltas are scaled for the mean over the whole step, so gradients of micro-batches and replicas are just added.
/// With an empty span of deltas only loss and count are computed, as an evaluation needs them. The spans do not
/// overlap.
/// </para>
/// </summary>
public static class LossKernels
{
    /// <summary>
    /// Cross-entropy of the softmax of the outputs: loss = ln Σⱼ exp(xⱼ − m) − (x_label − m) with m = max x, δᵢ =
    /// (pᵢ − [i = label])/N. An example is right where its label has the largest output, the lowest index in a tie.
    /// </summary>
    /// <param name="outputs">Logits x [n, classes].</param>
    /// <param name="labels">[n], each 0 … classes−1.</param>
    /// <param name="totalExamples">N, examples of the whole step over all replicas, ≥ 1.</param>
    /// <param name="deltas">∂loss/∂x [n, classes], or empty.</param>
    /// <param name="lossChain">Sum of the losses, not yet divided by N.</param>
    /// <param name="correct">Number of examples that were right.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is no class, or N is below 1.</exception>
    public static void SoftmaxCrossEntropy(
        ReadOnlySpan<float> outputs,
        ReadOnlySpan<int> labels,
        int totalExamples,
        Span<float> deltas,
        ref double lossChain,
        ref long correct)
    {
        var classes = ElementsPerExample(outputs.Length, labels.Length, totalExamples, deltas.Length);
        var weight = (float)(1.0 / totalExamples);
        for (var n = 0; n < labels.Length; n++)
        {
            var x = outputs.Slice(n * classes, classes);
            var label = CheckedLabel(labels, n, classes);
            var delta = deltas.IsEmpty ? default : deltas.Slice(n * classes, classes);
            var maximum = RowReductions.Maximum(x);
            var sum = RowReductions.SumOfExponentials(x, maximum, delta);
            var loss = Elementary.Log(sum) - (x[label] - maximum);
            lossChain += loss;
            correct += RowReductions.IndexOfLargest(x) == label ? 1 : 0;
            if (!delta.IsEmpty)
            {
                var ofLabel = ((delta[label] / sum) - 1f) * weight;
                Elementwise.Map(new DivideAndScaleMap(sum, weight), delta, delta);
                delta[label] = ofLabel;
            }
        }
    }

    /// <summary>
    /// Binary cross-entropy of the sigmoid of the outputs, with targets y of 0 and 1: loss = max(x, 0) − x·y +
    /// ln(1 + exp(−|x|)), δ = (sigmoid(x) − y)/(N·d). With d = 1 the label is the target, and right means that x &gt; 0
    /// just where the label is 1; with d &gt; 1 the target is one-hot, and right means that the label has the largest
    /// output.
    /// </summary>
    /// <param name="outputs">Logits x [n, d].</param>
    /// <param name="labels">[n], each 0 or 1 where d = 1, else 0 … d−1.</param>
    /// <param name="totalExamples">N, examples of the whole step over all replicas, ≥ 1.</param>
    /// <param name="deltas">∂loss/∂x [n, d], or empty.</param>
    /// <param name="lossChain">Sum of the losses of the elements, not yet divided by N·d.</param>
    /// <param name="correct">Number of examples that were right.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is outside its range, or N is below 1.</exception>
    public static void BinaryCrossEntropy(
        ReadOnlySpan<float> outputs,
        ReadOnlySpan<int> labels,
        int totalExamples,
        Span<float> deltas,
        ref double lossChain,
        ref long correct)
    {
        var d = ElementsPerExample(outputs.Length, labels.Length, totalExamples, deltas.Length);
        for (var n = 0; n < labels.Length; n++)
        {
            var label = CheckedLabel(labels, n, Math.Max(d, 2));
            var right = d == 1 ? outputs[n] > 0f == (label == 1) : RowReductions.IndexOfLargest(outputs.Slice(n * d, d)) == label;
            correct += right ? 1 : 0;
        }

        AddElements(default(BinaryCrossEntropyElements), outputs, labels, d, deltas, 1.0, totalExamples, ref lossChain);
    }

    /// <summary>
    /// Mean squared error over all elements: r = y − t, loss = r², δ = r·2/(N·d). With d = 1 the target is the label as a
    /// number, and right means that y &gt; ½ just where the label is 1; with d &gt; 1 the target is one-hot, and right
    /// means that the label has the largest output.
    /// </summary>
    /// <param name="outputs">y [n, d].</param>
    /// <param name="labels">[n]; any number where d = 1, else 0 … d−1.</param>
    /// <param name="totalExamples">N, examples of the whole step over all replicas, ≥ 1.</param>
    /// <param name="deltas">∂loss/∂y [n, d], or empty.</param>
    /// <param name="lossChain">Sum of the squares, not yet divided by N·d.</param>
    /// <param name="correct">Number of examples that were right.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is outside its range, or N is below 1.</exception>
    public static void MeanSquaredError(
        ReadOnlySpan<float> outputs,
        ReadOnlySpan<int> labels,
        int totalExamples,
        Span<float> deltas,
        ref double lossChain,
        ref long correct)
    {
        var d = ElementsPerExample(outputs.Length, labels.Length, totalExamples, deltas.Length);
        for (var n = 0; n < labels.Length; n++)
        {
            var right = d == 1
                ? outputs[n] > 0.5f == (labels[n] == 1)
                : RowReductions.IndexOfLargest(outputs.Slice(n * d, d)) == CheckedLabel(labels, n, d);
            correct += right ? 1 : 0;
        }

        AddElements(default(SquaredErrorElements), outputs, labels, d, deltas, 2.0, totalExamples, ref lossChain);
    }

    /// <summary>Losses of all elements, eight at a time; their chain of additions is one element after the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddElements<TElements>(
        TElements elements,
        ReadOnlySpan<float> outputs,
        ReadOnlySpan<int> labels,
        int d,
        Span<float> deltas,
        double factor,
        int totalExamples,
        ref double lossChain)
        where TElements : struct, IElementLoss
    {
        Span<float> targets = stackalloc float[Vector256<float>.Count];
        Span<float> losses = stackalloc float[Vector256<float>.Count];
        var weight = Vector256.Create((float)(factor / ((double)totalExamples * d)));
        var (example, element) = (0, 0);
        for (var i = 0; i < outputs.Length; i += Vector256<float>.Count)
        {
            var count = Math.Min(Vector256<float>.Count, outputs.Length - i);
            for (var lane = 0; lane < count; lane++)
            {
                targets[lane] = d == 1 ? labels[example] : labels[example] == element ? 1f : 0f;
                element++;
                if (element == d)
                {
                    (example, element) = (example + 1, 0);
                }
            }

            var x = Elementwise.LoadPartial(outputs.Slice(i, count), 0f);
            var (loss, delta) = elements.Of(x, Vector256.Create<float>(targets));
            loss.CopyTo(losses);
            foreach (var ofElement in losses[..count])
            {
                lossChain += ofElement;
            }

            if (!deltas.IsEmpty)
            {
                Elementwise.StorePartial(delta * weight, deltas.Slice(i, count));
            }
        }
    }

    private static int CheckedLabel(ReadOnlySpan<int> labels, int example, int classes) =>
        (uint)labels[example] < (uint)classes
            ? labels[example]
            : throw new ArgumentOutOfRangeException(
                nameof(labels), labels[example], $"The label of example {example} must be from 0 to {classes - 1}.");

    private static int ElementsPerExample(int outputs, int examples, int totalExamples, int deltas)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(totalExamples, 1);
        var d = examples == 0 ? 1 : outputs / examples;
        if (outputs != d * examples || (outputs == 0) != (examples == 0) || (deltas != outputs && deltas != 0))
        {
            throw new ArgumentException(
                $"{outputs} outputs and {deltas} deltas do not belong to {examples} labels: there must be as many outputs"
                + " for each label, and as many deltas as outputs, or none.");
        }

        return d;
    }

    /// <summary>The loss of eight elements, and δ before it is scaled for the mean.</summary>
    private interface IElementLoss
    {
        (Vector256<float> Loss, Vector256<float> Delta) Of(Vector256<float> x, Vector256<float> target);
    }

    private readonly struct BinaryCrossEntropyElements : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public (Vector256<float> Loss, Vector256<float> Delta) Of(Vector256<float> x, Vector256<float> target)
        {
            var positive = x & Vector256.GreaterThan(x, Vector256<float>.Zero);
            var minusMagnitude = x | Vector256.Create(-0f);
            var softplus = Elementary.Log(Vector256<float>.One + Elementary.Exp(minusMagnitude));
            return (positive - (x * target) + softplus, default(SigmoidMap).Apply(x) - target);
        }
    }

    private readonly struct SquaredErrorElements : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public (Vector256<float> Loss, Vector256<float> Delta) Of(Vector256<float> x, Vector256<float> target)
        {
            var r = x - target;
            return (r * r, r);
        }
    }

    private readonly struct DivideAndScaleMap(float divisor, float factor) : IElementwiseMap
    {
        private readonly Vector256<float> _divisor = Vector256.Create(divisor);
        private readonly Vector256<float> _factor = Vector256.Create(factor);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(Vector256<float> x) => x / _divisor * _factor;
    }
}
