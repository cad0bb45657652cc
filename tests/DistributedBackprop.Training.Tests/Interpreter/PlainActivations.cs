using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>Activation functions and their derivatives in float32, every operation rounded once, in the order written.</summary>
public static class PlainActivations
{
    /// <summary>√½.</summary>
    private const float InverseRoot2 = 0.70710677f;

    /// <summary>1/√(2π).</summary>
    private const float NormalDensityAt0 = 0.3989423f;

    /// <summary>√(2/π).</summary>
    private const float Root2OverPi = 0.7978846f;

    /// <summary>Applies an activation.</summary>
    /// <param name="activation">Which; null for none.</param>
    /// <param name="x">Rows one after the other.</param>
    /// <param name="rowLength">Length of a row; softmax works on rows.</param>
    public static float[] Forward(Activation? activation, float[] x, int rowLength)
    {
        if (activation is null)
        {
            return x;
        }

        var y = new float[x.Length];
        if (activation.Function == ActivationFunction.Softmax)
        {
            for (var row = 0; row < x.Length; row += rowLength)
            {
                Softmax(x.AsSpan(row, rowLength)).CopyTo(y, row);
            }

            return y;
        }

        for (var i = 0; i < x.Length; i++)
        {
            y[i] = Value(activation, x[i]);
        }

        return y;
    }

    /// <summary>Goes back through an activation.</summary>
    /// <param name="activation">Which; null for none.</param>
    /// <param name="x">What it was given.</param>
    /// <param name="y">What came out.</param>
    /// <param name="delta">∂loss/∂y.</param>
    /// <param name="rowLength">Length of a row.</param>
    /// <returns>∂loss/∂x.</returns>
    public static float[] Backward(Activation? activation, float[] x, float[] y, float[] delta, int rowLength)
    {
        if (activation is null)
        {
            return delta;
        }

        var back = new float[x.Length];
        if (activation.Function == ActivationFunction.Softmax)
        {
            for (var row = 0; row < x.Length; row += rowLength)
            {
                var dot = PlainRows.Dot(delta.AsSpan(row, rowLength), y.AsSpan(row, rowLength));
                for (var i = row; i < row + rowLength; i++)
                {
                    back[i] = y[i] * (delta[i] - dot);
                }
            }

            return back;
        }

        for (var i = 0; i < x.Length; i++)
        {
            back[i] = Derivative(activation, x[i], y[i], delta[i]);
        }

        return back;
    }

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    public static float Sigmoid(float x) => 1 / (1 + PlainMath.Exp(-x));

    /// <summary>eˣ over the sum of all, the row's maximum subtracted first.</summary>
    public static float[] Softmax(ReadOnlySpan<float> row)
    {
        var (exponentials, sum, _) = Exponentials(row);
        for (var i = 0; i < exponentials.Length; i++)
        {
            exponentials[i] = exponentials[i] / sum;
        }

        return exponentials;
    }

    /// <summary>The parts of a softmax: e to the power of each element less the maximum, their sum, the maximum.</summary>
    public static (float[] Exponentials, float Sum, float Max) Exponentials(ReadOnlySpan<float> row)
    {
        var max = PlainRows.Max(row);
        var exponentials = new float[row.Length];
        for (var i = 0; i < row.Length; i++)
        {
            exponentials[i] = PlainMath.Exp(row[i] - max);
        }

        return (exponentials, PlainRows.Sum(exponentials), max);
    }

    private static float Value(Activation activation, float x) => activation.Function switch
    {
        ActivationFunction.Relu => x <= 0 ? 0f : x,
        ActivationFunction.LeakyRelu => x > 0 ? x : (float)activation.Slope * x,
        ActivationFunction.Sigmoid => Sigmoid(x),
        ActivationFunction.Tanh => PlainMath.Tanh(x),
        ActivationFunction.Gelu => 0.5f * x * (1 + PlainMath.Erf(x * InverseRoot2)),
        ActivationFunction.GeluTanh => 0.5f * x * (1 + GeluTanhInner(x)),
        _ => throw new ArgumentException($"No interpretation of {activation}.", nameof(activation)),
    };

    private static float Derivative(Activation activation, float x, float y, float delta) => activation.Function switch
    {
        ActivationFunction.Relu => y <= 0 ? 0f : delta,
        ActivationFunction.LeakyRelu => y > 0 ? delta : (float)activation.Slope * delta,
        ActivationFunction.Sigmoid => delta * (y * (1 - y)),
        ActivationFunction.Tanh => delta * (1 - (y * y)),
        ActivationFunction.Gelu => delta * GeluDerivative(x),
        ActivationFunction.GeluTanh => delta * GeluTanhDerivative(x),
        _ => throw new ArgumentException($"No interpretation of {activation}.", nameof(activation)),
    };

    private static float GeluDerivative(float x)
    {
        var density = PlainMath.Exp(-0.5f * x * x) * NormalDensityAt0;
        return MathF.FusedMultiplyAdd(x, density, 0.5f * (1 + PlainMath.Erf(x * InverseRoot2)));
    }

    private static float GeluTanhInner(float x) =>
        PlainMath.Tanh(Root2OverPi * (x * MathF.FusedMultiplyAdd(0.044715f, x * x, 1)));

    private static float GeluTanhDerivative(float x)
    {
        var h = GeluTanhInner(x);
        var innerDerivative = Root2OverPi * MathF.FusedMultiplyAdd(0.134145f, x * x, 1);
        return MathF.FusedMultiplyAdd(0.5f * x * (1 - (h * h)), innerDerivative, 0.5f * (1 + h));
    }
}
