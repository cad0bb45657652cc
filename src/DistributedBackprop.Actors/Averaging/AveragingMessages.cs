using Akka.Actor;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Averaging;

/// <summary>
/// A peer on the same node has brought what it has to an averaging: its receiver may read it, and write its own part.
/// It owns shares of tensors until disposed.
/// </summary>
public abstract record PeerReady(long Generation, long Step, int Replica)
    : IGenerationMessage, INoSerializationVerificationNeeded, IDisposable
{
    /// <summary>What the replicas' vectors are averaged over: the gradient, or the parameters.</summary>
    public abstract Tensor Vector { get; }

    /// <summary>Gives up the shares.</summary>
    public abstract void Dispose();
}

/// <summary>A peer's gradient of a step is complete.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Step">Which step.</param>
/// <param name="Replica">Whose gradient.</param>
/// <param name="Gradient">The gradient; the receiver owns this share.</param>
/// <param name="Next">
/// From the node's first replica: the parameters that the update writes; the receiver owns this share. Null from others.
/// </param>
/// <param name="State">From the node's first replica: the optimizer's state; the receiver owns this share. Null from others.</param>
public sealed record GradientReady(
    long Generation, long Step, int Replica, Parameters Gradient, Parameters? Next, OptimizerState? State)
    : PeerReady(Generation, Step, Replica)
{
    /// <inheritdoc/>
    public override Tensor Vector => Gradient.Vector;

    /// <inheritdoc/>
    public override void Dispose()
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
/// <param name="Next">From the node's first replica: where this round's parameters go; the receiver owns this share.</param>
/// <param name="Momentum">From the node's first replica: the outer optimizer's buffer; the receiver owns this share.</param>
public sealed record ParametersReady(
    long Generation,
    long Step,
    int Replica,
    long Examples,
    Parameters Parameters,
    OptimizerState State,
    Parameters? Next,
    Tensor? Momentum) : PeerReady(Generation, Step, Replica)
{
    /// <inheritdoc/>
    public override Tensor Vector => Parameters.Vector;

    /// <inheritdoc/>
    public override void Dispose()
    {
        Parameters.Dispose();
        State.Dispose();
        Next?.Dispose();
        Momentum?.Dispose();
    }
}

/// <summary>Parts of a layer's vector are done.</summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Step">Which step.</param>
/// <param name="Replica">
/// Whose part; <see cref="OtherNodes"/> for the parts of all peers on other nodes, which the node's first replica takes in.
/// </param>
public sealed record PartUpdated(long Generation, long Step, int Replica)
    : IGenerationMessage, INoSerializationVerificationNeeded
{
    /// <summary>Stands for all peers on other nodes.</summary>
    public const int OtherNodes = -1;
}

/// <summary>
/// Reduce-scatter: a peer on another node brings its share of a chunk that the receiver owns. The receiver owns the tensor.
/// </summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Step">Which step.</param>
/// <param name="Layer">Which layer, by its place in graph order.</param>
/// <param name="Replica">Who brings it.</param>
/// <param name="Owner">Whose part it belongs to.</param>
/// <param name="Slot">0 for the gradient or the parameters; from 1 on the optimizer's vectors.</param>
/// <param name="Start">The chunk's first element in the layer's vector.</param>
/// <param name="Examples">With parameter averaging: the replica's examples since the last round.</param>
/// <param name="Value">The elements.</param>
public sealed record Contribution(
    long Generation, long Step, int Layer, int Replica, int Owner, int Slot, int Start, long Examples, Tensor Value)
    : IGenerationMessage, INoSerializationVerificationNeeded;

/// <summary>
/// All-gather: a peer on another node has done a chunk; the first replica of the receiving node takes it in, for all of
/// that node. The receiver owns the tensor.
/// </summary>
/// <param name="Generation">The placement this belongs to.</param>
/// <param name="Step">Which step.</param>
/// <param name="Layer">Which layer, by its place in graph order.</param>
/// <param name="Owner">Whose part it belongs to.</param>
/// <param name="Slot">0 for the new parameters; from 1 on the optimizer's averaged vectors.</param>
/// <param name="Start">The chunk's first element in the layer's vector.</param>
/// <param name="Value">The elements.</param>
public sealed record UpdatedChunk(
    long Generation, long Step, int Layer, int Owner, int Slot, int Start, Tensor Value)
    : IGenerationMessage, INoSerializationVerificationNeeded;
