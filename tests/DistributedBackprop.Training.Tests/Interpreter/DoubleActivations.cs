using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>Activation functions and their derivatives as the books have them, in double precision.</summary>
public static class DoubleActivations
{
    /// <summary>Applies an activation to one row.</summary>
    public static double[] Forward(Activation? activation, double[] x)
    {
        if (activation?.Function == ActivationFunction.Softmax)
        {
            var max = x.Max();
            var sum = x.Sum(v => Math.Exp(v - max));
            return [.. x.Select(v => Math.Exp(v - max) / sum)];
        }

        return [.. x.Select(v => Value(activation, v))];
    }

    /// <summary>∂loss/∂x of one row, given ∂loss/∂y.</summary>
    public static double[] Backward(Activation? activation, double[] x, double[] delta)
    {
        if (activation?.Function == ActivationFunction.Softmax)
        {
            var y = Forward(activation, x);
            return [.. x.Select((_, i) => x.Select((_, j) => delta[j] * y[j] * ((i == j ? 1 : 0) - y[i])).Sum())];
        }

        return [.. x.Select((v, i) => delta[i] * Derivative(activation, v))];
    }

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>
    /// The error function by the series 2/√π · e^(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!! (Abramowitz and Stegun 7.1.6), whose terms
    /// have one sign, so nothing cancels.
    /// </summary>
    public static double Erf(double x)
    {
        if (Math.Abs(x) > 6)
        {
            return Math.Sign(x);
        }

        var (term, sum) = (x, x);
        for (var n = 1; n < 200; n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    private static double Value(Activation? activation, double x) => activation?.Function switch
    {
        null => x,
        ActivationFunction.Relu => Math.Max(x, 0),
        ActivationFunction.LeakyRelu => x > 0 ? x : activation.Slope * x,
        ActivationFunction.Sigmoid => Sigmoid(x),
        ActivationFunction.Tanh => Math.Tanh(x),
        ActivationFunction.Gelu => x * Normal(x),
        ActivationFunction.GeluTanh => 0.5 * x * (1 + Math.Tanh(GeluInner(x))),
        _ => throw new ArgumentException($"No reference for {activation}.", nameof(activation)),
    };

    private static double Derivative(Activation? activation, double x) => activation?.Function switch
    {
        null => 1,
        ActivationFunction.Relu => x > 0 ? 1 : 0,
        ActivationFunction.LeakyRelu => x > 0 ? 1 : activation.Slope,
        ActivationFunction.Sigmoid => Sigmoid(x) * Sigmoid(-x),
        ActivationFunction.Tanh => 1 / (Math.Cosh(x) * Math.Cosh(x)),
        ActivationFunction.Gelu => Normal(x) + (x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI)),
        ActivationFunction.GeluTanh => GeluTanhDerivative(x),
        _ => throw new ArgumentException($"No reference for {activation}.", nameof(activation)),
    };

    private static double Normal(double x) => 0.5 * (1 + Erf(x / Math.Sqrt(2)));

    private static double GeluInner(double x) => Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x));

    private static double GeluTanhDerivative(double x)
    {
        var h = Math.Tanh(GeluInner(x));
        var inner = Math.Sqrt(2 / Math.PI) * (1 + (3 * 0.044715 * x * x));
        return (0.5 * (1 + h)) + (0.5 * x * (1 - (h * h)) * inner);
    }
}
