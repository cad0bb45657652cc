using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Actors.Checkpoints;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>The tensors that a message owns, for those who drop it.</summary>
internal static class TensorsOf
{
    /// <summary>Gives up the tensors of a message that nobody will handle.</summary>
    public static void Message(object message)
    {
        switch (message)
        {
            case Activation activation:
                activation.Value.Dispose();
                break;
            case Delta delta:
                delta.Value.Dispose();
                break;
            case Targets targets:
                targets.Labels.Dispose();
                break;
            case Restore restore:
                restore.Dispose();
                break;
            case StatePart part:
                part.Value.Dispose();
                break;
            case PeerReady ready:
                ready.Dispose();
                break;
            case Contribution contribution:
                contribution.Value.Dispose();
                break;
            case UpdatedChunk chunk:
                chunk.Value.Dispose();
                break;
        }
    }
}
