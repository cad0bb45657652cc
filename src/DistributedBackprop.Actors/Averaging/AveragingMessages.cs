using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Averaging;

/// <summary>A peer has brought its share to an averaging. It owns shares of tensors until disposed.</summary>
public interface IPeerReady : IGenerationMessage, IDisposable
{
    /// <summary>After which step.</summary>
    long Step { get; }

    /// <summary>Which replica.</summary>
    int Replica { get; }
}

/// <summary>A peer's gradient of a step is complete: its receiver may read it, and write its own part of the sum.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Step">Which step.</param>
/// <param name="Replica">Whose gradient.</param>
/// <param name="Gradient">The gradient; the receiver owns this share.</param>
/// <param name="Next">
/// From the first replica: the parameters that the update writes; the receiver owns this share. Null from others.
/// </param>
/// <param name="State">From the first replica: the optimizer's state; the receiver owns this share. Null from others.</param>
public sealed record GradientReady(
    long Generation, long Step, int Replica, Parameters Gradient, Parameters? Next, OptimizerState? State)
    : IPeerReady, INoSerializationVerificationNeeded
{
    /// <summary>Gives up the shares.</summary>
    public void Dispose()
    {
        Gradient.Dispose();
        Next?.Dispose();
        State?.Dispose();
    }
}

/// <summary>A peer's parameters are ready for a round of parameter averaging.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Step">After which step.</param>
/// <param name="Replica">Whose parameters.</param>
/// <param name="Examples">How many examples it has trained on since the last round.</param>
/// <param name="Parameters">Its parameters; the receiver owns this share.</param>
/// <param name="State">Its optimizer's state; the receiver owns this share.</param>
/// <param name="Next">From the first replica: where this round's parameters go; the receiver owns this share.</param>
/// <param name="Momentum">From the first replica: the outer optimizer's buffer; the receiver owns this share.</param>
public sealed record ParametersReady(
    long Generation,
    long Step,
    int Replica,
    long Examples,
    Parameters Parameters,
    OptimizerState State,
    Parameters? Next,
    Tensor? Momentum) : IPeerReady, INoSerializationVerificationNeeded
{
    /// <summary>Gives up the shares.</summary>
    public void Dispose()
    {
        Parameters.Dispose();
        State.Dispose();
        Next?.Dispose();
        Momentum?.Dispose();
    }
}

/// <summary>A peer has summed and updated its part of the layer's vector.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Step">Which step.</param>
/// <param name="Replica">Whose part.</param>
public sealed record PartUpdated(long Generation, long Step, int Replica)
    : IGenerationMessage, INoSerializationVerificationNeeded;
