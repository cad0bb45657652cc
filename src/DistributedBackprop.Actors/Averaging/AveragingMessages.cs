using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Optimizers;

namespace DistributedBackprop.Actors.Averaging;

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
    : IGenerationMessage, INoSerializationVerificationNeeded, IDisposable
{
    /// <summary>Gives up the shares.</summary>
    public void Dispose()
    {
        Gradient.Dispose();
        Next?.Dispose();
        State?.Dispose();
    }
}

/// <summary>A peer has summed and updated its part of the layer's vector.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Step">Which step.</param>
/// <param name="Replica">Whose part.</param>
public sealed record PartUpdated(long Generation, long Step, int Replica)
    : IGenerationMessage, INoSerializationVerificationNeeded;
