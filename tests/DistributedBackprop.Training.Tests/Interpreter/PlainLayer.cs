using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>One layer, applied to one example at a time.</summary>
public abstract class PlainLayer
{
    /// <summary>Its name in the model.</summary>
    public required string Name { get; init; }

    /// <summary>Where its inputs come from: indices of layers in the graph, or −1 for the example itself.</summary>
    public required int[] Inputs { get; init; }

    /// <summary>The shapes of its inputs, for one example.</summary>
    public required Shape[] InputShapes { get; init; }

    /// <summary>Its learning rate over the job's.</summary>
    public required double LearningRateFactor { get; init; }

    /// <summary>The shape of its output, for one example.</summary>
    public abstract Shape Output { get; }

    /// <summary>Its parameters, weight before bias.</summary>
    public virtual (string Name, Shape Shape)[] Parameters => [];

    /// <summary>Initial values of its parameters.</summary>
    public virtual float[][] Initialize(long seed) => [];

    /// <summary>Applies the layer.</summary>
    /// <param name="inputs">One array per input.</param>
    /// <param name="parameters">Its own parameters.</param>
    /// <param name="place">Whose example it is.</param>
    public abstract PlainApplication Forward(float[][] inputs, ReadOnlySpan<float[]> parameters, PlainPlace place);

    /// <summary>The way back: adds to the gradient and returns one delta per input.</summary>
    /// <param name="application">What <see cref="Forward"/> returned.</param>
    /// <param name="delta">∂loss/∂output.</param>
    /// <param name="parameters">Its own parameters.</param>
    /// <param name="gradient">Its own parameters' gradient; the chains in it continue.</param>
    public abstract float[][] Backward(
        PlainApplication application, float[] delta, ReadOnlySpan<float[]> parameters, ReadOnlySpan<float[]> gradient);
}

/// <summary>What a layer did with one example.</summary>
/// <param name="Inputs">What it was given.</param>
/// <param name="Place">Whose example it was.</param>
/// <param name="BeforeActivation">What its activation was given; empty in layers without.</param>
/// <param name="Output">What came out.</param>
public sealed record PlainApplication(float[][] Inputs, PlainPlace Place, float[] BeforeActivation, float[] Output);

/// <summary>Whose example it is that passes through a layer.</summary>
/// <param name="IsTraining">False in evaluation.</param>
/// <param name="Step">The training step, from 1.</param>
/// <param name="Position">The example's position in the step's whole minibatch, over all replicas.</param>
public readonly record struct PlainPlace(bool IsTraining, long Step, int Position);
