using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Explain;

/// <summary>Activations and losses in double precision, as the books have them: the other opinion on a derivative.</summary>
internal static class DoubleFunctions
{
    // ∫ of the normal density converges in so many terms wherever it is not 1 to the last digit.
    private const int ErrorFunctionTerms = 200;

    /// <summary>Applies an activation to one row, in place.</summary>
    public static void Apply(Activation activation, Span<double> row)
    {
        if (activation.Function == ActivationFunction.Softmax)
        {
            var max = Max(row);
            var sum = 0.0;
            foreach (ref var x in row)
            {
                x = ElementaryDouble.Exp(x - max);
                sum += x;
            }

            foreach (ref var x in row)
            {
                x /= sum;
            }

            return;
        }

        foreach (ref var x in row)
        {
            x = Value(activation, x);
        }
    }

    /// <summary>An example's loss; a mean over its elements where the loss is one.</summary>
    public static double Loss(LossKind loss, ReadOnlySpan<double> output, int label)
    {
        if (loss == LossKind.SoftmaxCrossEntropy)
        {
            var (max, sum) = (Max(output), 0.0);
            foreach (var x in output)
            {
                sum += ElementaryDouble.Exp(x - max);
            }

            return ElementaryDouble.Log(sum) + max - output[label];
        }

        var total = 0.0;
        for (var i = 0; i < output.Length; i++)
        {
            var target = output.Length == 1 ? label : i == label ? 1.0 : 0.0;
            var x = output[i];
            total += loss == LossKind.MeanSquaredError
                ? (x - target) * (x - target)
                : Math.Max(x, 0) - (x * target) + ElementaryDouble.Log(1 + ElementaryDouble.Exp(-Math.Abs(x)));
        }

        return total / output.Length;
    }

    private static double Value(Activation activation, double x) => activation.Function switch
    {
        ActivationFunction.Relu => x > 0 ? x : 0,
        ActivationFunction.LeakyRelu => x > 0 ? x : activation.Slope * x,
        ActivationFunction.Sigmoid => 1 / (1 + ElementaryDouble.Exp(-x)),
        ActivationFunction.Tanh => Tanh(x),
        ActivationFunction.Gelu => 0.5 * x * (1 + Erf(x / Math.Sqrt(2))),
        ActivationFunction.GeluTanh => 0.5 * x * (1 + Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation.Function, "This is no function of elements alone."),
    };

    private static double Tanh(double x)
    {
        var e = ElementaryDouble.Exp(-2 * Math.Abs(x));
        return Math.CopySign((1 - e) / (1 + e), x);
    }

    // 2/√π · e^(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!! (Abramowitz and Stegun 7.1.6): terms of one sign, nothing cancels.
    private static double Erf(double x)
    {
        if (Math.Abs(x) > 6)
        {
            return Math.Sign(x);
        }

        var (term, sum) = (x, x);
        for (var n = 1; n < ErrorFunctionTerms; n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * ElementaryDouble.Exp(-x * x) * sum;
    }

    private static double Max(ReadOnlySpan<double> row)
    {
        var max = double.NegativeInfinity;
        foreach (var x in row)
        {
            max = Math.Max(max, x);
        }

        return max;
    }
}
