using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>
/// A fully connected layer on the last axis: every sum is one chain of fused multiply-adds, k ascending, from +0; then the
/// bias, then the activation.
/// </summary>
public sealed class PlainDense(DenseKind kind) : PlainLayer
{
    private int FanIn => InputShapes[0].Axes[^1];

    private int Units => kind.Units;

    /// <inheritdoc/>
    public override Shape Output => new([.. InputShapes[0].Axes[..^1], Units]);

    /// <inheritdoc/>
    public override (string Name, Shape Shape)[] Parameters => kind.Bias
        ? [("weight", new Shape(Units, FanIn)), ("bias", new Shape(Units))]
        : [("weight", new Shape(Units, FanIn))];

    /// <inheritdoc/>
    public override float[][] Initialize(long seed)
    {
        var weight = PlainInitializers.Weight(kind.Initializer, seed, $"{Name}.weight", Units, FanIn);
        return kind.Bias ? [weight, PlainInitializers.Bias(kind.Initializer, seed, $"{Name}.bias", Units, FanIn)] : [weight];
    }

    /// <inheritdoc/>
    public override PlainApplication Forward(float[][] inputs, ReadOnlySpan<float[]> parameters, PlainPlace place)
    {
        var x = inputs[0];
        var weight = parameters[0];
        var (fanIn, units) = (FanIn, Units);
        var rows = x.Length / fanIn;
        var z = new float[rows * units];
        for (var r = 0; r < rows; r++)
        {
            for (var o = 0; o < units; o++)
            {
                var sum = 0f;
                for (var k = 0; k < fanIn; k++)
                {
                    sum = MathF.FusedMultiplyAdd(x[(r * fanIn) + k], weight[(o * fanIn) + k], sum);
                }

                z[(r * units) + o] = kind.Bias ? sum + parameters[1][o] : sum;
            }
        }

        return new PlainApplication(inputs, place, z, PlainActivations.Forward(kind.Activation, z, units));
    }

    /// <inheritdoc/>
    public override float[][] Backward(
        PlainApplication application, float[] delta, ReadOnlySpan<float[]> parameters, ReadOnlySpan<float[]> gradient)
    {
        var x = application.Inputs[0];
        var weight = parameters[0];
        var (fanIn, units) = (FanIn, Units);
        var back = PlainActivations.Backward(
            kind.Activation, application.BeforeActivation, application.Output, delta, units);
        var weightGradient = gradient[0];
        var inputDelta = new float[x.Length];
        for (var r = 0; r < x.Length / fanIn; r++)
        {
            for (var o = 0; o < units; o++)
            {
                var d = back[(r * units) + o];
                for (var k = 0; k < fanIn; k++)
                {
                    // Seen from one element each line is a chain: the gradient's over rows, the input delta's over outputs.
                    weightGradient[(o * fanIn) + k] =
                        MathF.FusedMultiplyAdd(d, x[(r * fanIn) + k], weightGradient[(o * fanIn) + k]);
                    inputDelta[(r * fanIn) + k] =
                        MathF.FusedMultiplyAdd(d, weight[(o * fanIn) + k], inputDelta[(r * fanIn) + k]);
                }

                if (kind.Bias)
                {
                    gradient[1][o] = gradient[1][o] + d;
                }
            }
        }

        return [inputDelta];
    }
}
