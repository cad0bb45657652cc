using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Journal;

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
            case AllCaptured captured:
                captured.State.Dispose();
                break;
            case CommitCheckpoint commit:
                commit.State.Dispose();
                break;
            case KeepCompletion keep:
                keep.Weights.Dispose();
                break;
            case WriteState write:
                foreach (var range in write.Ranges)
                {
                    range.Value.Dispose();
                }

                break;
            case StateLoaded loaded:
                loaded.State.Dispose();
                break;
            case JournalOpened opened:
                opened.State?.Dispose();
                break;
            case NewestShared shared:
                shared.State?.Dispose();
                break;
            case JobOver over:
                over.GiveUp();
                break;
        }
    }
}
