using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Links;

/// <summary>The names that messages with a tensor have on the wire.</summary>
internal static class FrameNames
{
    /// <summary>The header of a message that owns a tensor, and that tensor.</summary>
    /// <param name="message">A message of a pipeline, an averaging or a state.</param>
    /// <param name="job">The job, as <see cref="JobHash"/> names it.</param>
    /// <param name="header">Its name; what the tensor says of itself is filled in by the link.</param>
    /// <param name="tensor">Its tensor: still the message's owner's.</param>
    /// <returns>False where the message carries none.</returns>
    public static bool TryOf(object message, ulong job, out FrameHeader header, out Tensor tensor)
    {
        (header, tensor) = message switch
        {
            Activation activation => (Of(activation), activation.Value),
            Targets targets => (Of(targets), targets.Labels),
            Delta delta => (Of(delta), delta.Value),
            Contribution contribution => (Of(contribution), contribution.Value),
            UpdatedChunk chunk => (Of(chunk), chunk.Value),
            StatePart part => (Of(part), part.Value),
            _ => default((FrameHeader, Tensor)),
        };
        header = header with { Job = job };
        return tensor is not null;
    }

    private static FrameHeader Of(Activation message) =>
        Of(FrameKind.Activation, message.Generation, message.Key, message.Replica) with
        {
            Edge = message.Edge,
            FirstPosition = message.FirstPosition,
        };

    private static FrameHeader Of(Targets message) =>
        Of(FrameKind.Targets, message.Generation, message.Key, message.Replica) with
        {
            IsLast = message.IsLast,
            Number = message.StepExamples,
        };

    private static FrameHeader Of(Delta message) =>
        Of(FrameKind.Delta, message.Generation, message.Key, message.Replica) with { Edge = message.Edge };

    // What belongs to one micro-batch of one replica.
    private static FrameHeader Of(FrameKind kind, long generation, MicroBatchKey key, int replica) => new()
    {
        Kind = kind,
        Generation = generation,
        Step = key.Step,
        MicroBatch = key.Index,
        IsTraining = key.IsTraining,
        Replica = replica,
    };

    private static FrameHeader Of(Contribution message) => new()
    {
        Kind = FrameKind.Contribution,
        Generation = message.Generation,
        Step = message.Step,
        MicroBatch = message.Slot,
        Replica = message.Replica,
        Edge = message.Layer,
        FirstPosition = message.Start,
        Number = checked((int)message.Examples),
    };

    private static FrameHeader Of(UpdatedChunk message) => new()
    {
        Kind = FrameKind.Average,
        Generation = message.Generation,
        Step = message.Step,
        MicroBatch = message.Slot,
        Replica = message.Owner,
        Edge = message.Layer,
        FirstPosition = message.Start,
    };

    private static FrameHeader Of(StatePart message) => new()
    {
        Kind = FrameKind.State,
        Generation = message.Generation,
        Step = message.Step,
        MicroBatch = message.Vector.Slot,
        Replica = message.Vector.Replica,
        Edge = message.Vector.Layer,
        FirstPosition = message.Start,
    };
}
