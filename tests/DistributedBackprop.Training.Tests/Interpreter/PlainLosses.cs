using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>The losses: each example's part of the chain, its delta, and whether its class was found.</summary>
public static class PlainLosses
{
    /// <summary>Adds an example's loss to a chain of doubles: float32 terms, widened, elements ascending.</summary>
    public static double Add(LossKind loss, double chain, float[] output, int label)
    {
        if (loss == LossKind.SoftmaxCrossEntropy)
        {
            var (_, sum, max) = PlainActivations.Exponentials(output);
            return chain + (PlainMath.Log(sum) - (output[label] - max));
        }

        var target = Target(loss, output.Length, label);
        for (var i = 0; i < output.Length; i++)
        {
            chain += loss == LossKind.BinaryCrossEntropy
                ? BinaryCrossEntropy(output[i], target[i])
                : (output[i] - target[i]) * (output[i] - target[i]);
        }

        return chain;
    }

    /// <summary>What sums of losses are divided by: examples, or examples × elements.</summary>
    public static double Divisor(LossKind loss, int examples, int elements) =>
        loss == LossKind.SoftmaxCrossEntropy ? examples : (double)examples * elements;

    /// <summary>∂(mean loss)/∂output for one example.</summary>
    /// <param name="loss">Which.</param>
    /// <param name="output">The model's output for the example.</param>
    /// <param name="label">Its class.</param>
    /// <param name="examples">Of the whole step, over all replicas.</param>
    public static float[] Delta(LossKind loss, float[] output, int label, int examples)
    {
        var delta = new float[output.Length];
        if (loss == LossKind.SoftmaxCrossEntropy)
        {
            var w = (float)(1.0 / examples);
            var p = PlainActivations.Softmax(output);
            for (var i = 0; i < output.Length; i++)
            {
                delta[i] = (p[i] - (i == label ? 1f : 0f)) * w;
            }

            return delta;
        }

        var target = Target(loss, output.Length, label);
        var elements = Divisor(loss, examples, output.Length);
        for (var i = 0; i < output.Length; i++)
        {
            delta[i] = loss == LossKind.BinaryCrossEntropy
                ? (PlainActivations.Sigmoid(output[i]) - target[i]) * (float)(1.0 / elements)
                : (output[i] - target[i]) * (float)(2.0 / elements);
        }

        return delta;
    }

    /// <summary>Whether the output names the label's class.</summary>
    public static bool IsCorrect(LossKind loss, float[] output, int label)
    {
        if (output.Length == 1 && loss != LossKind.SoftmaxCrossEntropy)
        {
            return loss == LossKind.BinaryCrossEntropy ? output[0] > 0 == (label == 1) : output[0] > 0.5f == (label == 1);
        }

        var best = 0;
        for (var i = 1; i < output.Length; i++)
        {
            best = output[i] > output[best] ? i : best;
        }

        return best == label;
    }

    /// <summary>What the output should be: the label as a number where there is one element, else one-hot.</summary>
    private static float[] Target(LossKind loss, int elements, int label)
    {
        if (elements == 1)
        {
            return loss == LossKind.MeanSquaredError || label is 0 or 1
                ? [label]
                : throw new ArgumentOutOfRangeException(nameof(label), label, "A binary target must be 0 or 1.");
        }

        var target = new float[elements];
        target[label] = 1;
        return target;
    }

    private static float BinaryCrossEntropy(float x, float y) =>
        (x > 0 ? x : 0f) - (x * y) + PlainMath.Log(1 + PlainMath.Exp(-MathF.Abs(x)));
}
