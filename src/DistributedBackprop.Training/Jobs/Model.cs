using System.Collections.Immutable;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Jobs;

/// <summary>The network as the job names it: a directed acyclic graph of layers.</summary>
/// <param name="Input">The shape of one example.</param>
/// <param name="Layers">The layers in graph order, names and inputs filled in; the last one feeds the loss.</param>
public sealed record Model(Shape Input, ImmutableArray<ModelLayer> Layers)
{
    /// <summary>The reserved name by which a layer takes the example itself.</summary>
    public const string InputName = "input";

    /// <summary>Whether the other has an equal input and equal layers in the same order.</summary>
    public bool Equals(Model? other) =>
        other is not null && Input.Equals(other.Input) && Layers.AsSpan().SequenceEqual(other.Layers.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Input, Layers.Length);
}

/// <summary>One layer of a model.</summary>
/// <param name="Name">Unique in the model.</param>
/// <param name="Inputs">Names of earlier layers or <see cref="Model.InputName"/>, at least one.</param>
/// <param name="Kind">What it computes.</param>
/// <param name="LearningRateFactor">Its learning rate over the job's: finite, ≥ 0. Default 1.</param>
public sealed record ModelLayer(string Name, ImmutableArray<string> Inputs, LayerKind Kind, double LearningRateFactor = 1)
{
    /// <summary>Whether the other has the same name, inputs and options.</summary>
    public bool Equals(ModelLayer? other) =>
        other is not null
        && Name == other.Name
        && Inputs.AsSpan().SequenceEqual(other.Inputs.AsSpan())
        && Kind.Equals(other.Kind)
        && LearningRateFactor.Equals(other.LearningRateFactor);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Inputs.Length, Kind, LearningRateFactor);
}

/// <summary>What a layer computes, with its options.</summary>
public abstract record LayerKind;

/// <summary>A fully connected layer on the last axis, with an activation of its own.</summary>
/// <param name="Units">Outputs, ≥ 1.</param>
/// <param name="Activation">What follows the bias; null for none.</param>
/// <param name="Bias">Whether it has a bias. Default true.</param>
/// <param name="Initializer">How its parameters begin.</param>
public sealed record DenseKind(int Units, Activation? Activation, bool Bias, Initializer Initializer) : LayerKind;

/// <summary>An activation that is a layer of its own.</summary>
/// <param name="Activation">Which.</param>
public sealed record ActivationKind(Activation Activation) : LayerKind;

/// <summary>Sets each element to zero with a probability, in training only; the others grow to make up for it.</summary>
/// <param name="Rate">The probability: 0 ≤ rate &lt; 1.</param>
public sealed record DropoutKind(double Rate) : LayerKind;

/// <summary>Lays an example's axes out as one.</summary>
public sealed record FlattenKind : LayerKind;

/// <summary>Adds its inputs, two or more of one shape.</summary>
public sealed record AddKind : LayerKind;

/// <summary>Joins its inputs, two or more, along an axis.</summary>
/// <param name="Axis">Counted with the batch as axis 0, so ≥ 1. Default 1.</param>
public sealed record ConcatKind(int Axis) : LayerKind;

/// <summary>An activation function.</summary>
/// <param name="Function">Which.</param>
/// <param name="Slope">Of <see cref="ActivationFunction.LeakyRelu"/> below zero: finite, ≥ 0. Default 0.01.</param>
public sealed record Activation(ActivationFunction Function, double Slope = 0.01);

/// <summary>The activation functions.</summary>
public enum ActivationFunction
{
    /// <summary>x where positive, else 0.</summary>
    Relu,

    /// <summary>x where positive, else slope·x.</summary>
    LeakyRelu,

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    Sigmoid,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>x·Φ(x), by the error function (Hendrycks and Gimpel 2016).</summary>
    Gelu,

    /// <summary>The approximation of <see cref="Gelu"/> by tanh.</summary>
    GeluTanh,

    /// <summary>eˣ over the sum of all, along the last axis.</summary>
    Softmax,
}

/// <summary>How a layer's parameters begin.</summary>
/// <param name="Kind">Which distribution.</param>
/// <param name="StandardDeviation">Of <see cref="InitializerKind.Normal"/>: finite, ≥ 0.</param>
public sealed record Initializer(InitializerKind Kind, double StandardDeviation = 0);

/// <summary>Distributions of initial weights. All but <see cref="Default"/> start a bias at zero.</summary>
public enum InitializerKind
{
    /// <summary>U(±1/√fan_in), weight and bias.</summary>
    Default,

    /// <summary>N(0, 2/fan_in) (He et al. 2015).</summary>
    HeNormal,

    /// <summary>U(±√(6/fan_in)) (He et al. 2015).</summary>
    HeUniform,

    /// <summary>N(0, 2/(fan_in+fan_out)) (Glorot and Bengio 2010).</summary>
    XavierNormal,

    /// <summary>U(±√(6/(fan_in+fan_out))) (Glorot and Bengio 2010).</summary>
    XavierUniform,

    /// <summary>N(0, std²).</summary>
    Normal,

    /// <summary>All +0.</summary>
    Zeros,
}

/// <summary>The loss functions: each a layer with a target.</summary>
public enum LossKind
{
    /// <summary>Takes logits and class labels.</summary>
    SoftmaxCrossEntropy,

    /// <summary>The mean over all elements of the squared difference, without ½.</summary>
    MeanSquaredError,

    /// <summary>Takes logits and targets 0 or 1.</summary>
    BinaryCrossEntropy,
}
