using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>An activation that is a layer of its own.</summary>
public sealed class PlainActivationLayer(ActivationKind kind) : PlainLayer
{
    /// <inheritdoc/>
    public override Shape Output => InputShapes[0];

    /// <inheritdoc/>
    public override PlainApplication Forward(float[][] inputs, ReadOnlySpan<float[]> parameters, PlainPlace place) =>
        new(inputs, place, inputs[0], PlainActivations.Forward(kind.Activation, inputs[0], Output.Axes[^1]));

    /// <inheritdoc/>
    public override float[][] Backward(
        PlainApplication application, float[] delta, ReadOnlySpan<float[]> parameters, ReadOnlySpan<float[]> gradient) =>
        [PlainActivations.Backward(kind.Activation, application.Inputs[0], application.Output, delta, Output.Axes[^1])];
}

/// <summary>Dropout: in training sets elements to zero at random and scales the others up (Srivastava et al. 2014).</summary>
public sealed class PlainDropout(DropoutKind kind, long seed) : PlainLayer
{
    private PlainRandom? _random;

    /// <inheritdoc/>
    public override Shape Output => InputShapes[0];

    /// <inheritdoc/>
    public override PlainApplication Forward(float[][] inputs, ReadOnlySpan<float[]> parameters, PlainPlace place) =>
        new(inputs, place, [], place.IsTraining ? Masked(inputs[0], place) : inputs[0]);

    /// <inheritdoc/>
    public override float[][] Backward(
        PlainApplication application, float[] delta, ReadOnlySpan<float[]> parameters, ReadOnlySpan<float[]> gradient) =>
        [Masked(delta, application.Place)];

    /// <summary>Whether an element of an example is dropped in a step.</summary>
    public bool Drops(int element, PlainPlace place)
    {
        _random ??= new PlainRandom(seed, "dropout", Name);
        return _random.Uniform(element, place.Position, place.Step) < (float)kind.Rate;
    }

    private float[] Masked(float[] values, PlainPlace place)
    {
        var scale = (float)(1 / (1 - kind.Rate));
        var masked = new float[values.Length];
        for (var e = 0; e < values.Length; e++)
        {
            masked[e] = Drops(e, place) ? 0f : values[e] * scale;
        }

        return masked;
    }
}
