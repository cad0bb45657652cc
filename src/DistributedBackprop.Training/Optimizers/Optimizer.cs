using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Optimizers;

/// <summary>
/// Turns a gradient into an update: (parameters, gradient, state, step) → (parameters, state), element by element, so
/// that any part of the vector can be updated anywhere. It holds no state of its own.
/// </summary>
public abstract class Optimizer
{
    /// <summary>How many vectors of state there are, 0 … 2; they begin at +0.</summary>
    public abstract int Slots { get; }

    /// <summary>The optimizer that a job names.</summary>
    public static Optimizer Of(OptimizerChoice choice) => choice switch
    {
        SgdChoice sgd => new Sgd(sgd),
        AdamChoice adam => new Adam(adam),
        _ => throw new ArgumentOutOfRangeException(nameof(choice), choice, "Unknown optimizer."),
    };

    /// <summary>Updates a part of a vector in place.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <param name="learningRate">Of this step and this layer.</param>
    /// <param name="part">What to update and with what.</param>
    public abstract void Update(long step, double learningRate, in OptimizerPart part);
}

/// <summary>The same part of a layer's vectors; all spans have one length, or none where the optimizer has no such slot.</summary>
/// <param name="parameters">Updated.</param>
/// <param name="gradient">Read.</param>
/// <param name="first">The first slot of state, updated.</param>
/// <param name="second">The second slot of state, updated.</param>
public readonly ref struct OptimizerPart(
    Span<float> parameters, ReadOnlySpan<float> gradient, Span<float> first, Span<float> second)
{
    /// <summary>Updated.</summary>
    public Span<float> Parameters { get; } = parameters;

    /// <summary>Read.</summary>
    public ReadOnlySpan<float> Gradient { get; } = gradient;

    /// <summary>The first slot of state, updated.</summary>
    public Span<float> First { get; } = first;

    /// <summary>The second slot of state, updated.</summary>
    public Span<float> Second { get; } = second;
}
