using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>The losses of one example and their derivatives, in double precision.</summary>
public static class DoubleLosses
{
    /// <summary>An example's loss, a mean over its elements where the loss is one.</summary>
    public static double Value(LossKind loss, double[] output, int label)
    {
        var target = Target(output.Length, label);
        return loss switch
        {
            LossKind.SoftmaxCrossEntropy => Math.Log(output.Sum(v => Math.Exp(v - output.Max()))) + output.Max() - output[label],
            LossKind.MeanSquaredError => output.Zip(target, (y, t) => (y - t) * (y - t)).Average(),
            LossKind.BinaryCrossEntropy => output.Zip(target, (x, t) => (t * LogOnePlusExp(-x)) + ((1 - t) * LogOnePlusExp(x)))
                .Average(),
            _ => throw new ArgumentOutOfRangeException(nameof(loss), loss, "No reference for this loss."),
        };
    }

    /// <summary>Its derivative by the output.</summary>
    public static double[] Delta(LossKind loss, double[] output, int label)
    {
        var target = Target(output.Length, label);
        var softmax = DoubleActivations.Forward(new Activation(ActivationFunction.Softmax), output);
        return [.. output.Select((v, i) => loss switch
        {
            LossKind.SoftmaxCrossEntropy => softmax[i] - (i == label ? 1 : 0),
            LossKind.MeanSquaredError => 2 * (v - target[i]) / output.Length,
            LossKind.BinaryCrossEntropy => (DoubleActivations.Sigmoid(v) - target[i]) / output.Length,
            _ => throw new ArgumentOutOfRangeException(nameof(loss), loss, "No reference for this loss."),
        })];
    }

    private static double[] Target(int elements, int label) =>
        elements == 1 ? [label] : [.. Enumerable.Range(0, elements).Select(i => i == label ? 1.0 : 0.0)];

    private static double LogOnePlusExp(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));
}
