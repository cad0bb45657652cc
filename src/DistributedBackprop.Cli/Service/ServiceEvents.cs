using DistributedBackprop.Protocol;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Service;

/// <summary>Events of the service as <c>train</c> has them.</summary>
internal static class ServiceEvents
{
    /// <summary>An event; null for one of a newer service that this program does not know.</summary>
    public static TrainingEvent? Of(Event message) => message.BodyCase switch
    {
        Event.BodyOneofCase.Waiting when message.Waiting.Reason.Length > 0 => new TrainingWaits(message.Waiting.Step, message.Waiting.Reason),
        Event.BodyOneofCase.Waiting => new TrainingWaiting(message.Waiting.JobId),
        Event.BodyOneofCase.Checkpoint => new CheckpointSaved(message.Checkpoint.Step, message.Checkpoint.Bytes),
        Event.BodyOneofCase.Started => new TrainingStarted(
            message.Started.JobId, message.Started.Layers, message.Started.Parameters, message.Started.Nodes),
        Event.BodyOneofCase.Generation => new GenerationStarted(
            message.Generation.Generation_, message.Generation.Step, message.Generation.Reason, PlacementOf(message.Generation.Placement)),
        Event.BodyOneofCase.Progress => new StepDone(
            message.Progress.Step, message.Progress.Epoch, message.Progress.Loss, message.Progress.Accuracy, message.Progress.SamplesPerSecond),
        Event.BodyOneofCase.Epoch => new EpochDone(
            message.Epoch.Epoch_,
            message.Epoch.Step,
            message.Epoch.TrainLoss,
            message.Epoch.HasTestLoss ? message.Epoch.TestLoss : null,
            message.Epoch.HasTestAccuracy ? message.Epoch.TestAccuracy : null),
        Event.BodyOneofCase.Paused => new TrainingPaused(message.Paused.JobId, message.Paused.Step),
        Event.BodyOneofCase.Completed => Of(message.Completed),
        Event.BodyOneofCase.Failed => new TrainingFailed(
            message.Failed.JobId, message.Failed.Step, message.Failed.HasLayer ? message.Failed.Layer : null, message.Failed.Reason),
        Event.BodyOneofCase.Cancelled => new TrainingCancelled(message.Cancelled.JobId, message.Cancelled.Step),
        _ => null,
    };

    private static TrainingCompleted Of(Completed completed) => new(
        completed.JobId,
        completed.Steps,
        completed.Epochs,
        completed.TrainLoss,
        completed.HasTestLoss ? completed.TestLoss : null,
        completed.HasTestAccuracy ? completed.TestAccuracy : null,
        completed.SamplesPerSecond,
        completed.WallSeconds,
        completed.WeightsSha256,
        completed.Nodes,
        completed.Recoveries);

    // The service writes replicas in order, and of each its stages.
    private static Training.Jobs.Placement PlacementOf(IEnumerable<Place> places)
    {
        var all = places.ToList();
        var stages = all.Max(place => place.Stage) + 1;
        return new Training.Jobs.Placement(all.Count / stages, stages, (replica, stage) => all[(replica * stages) + stage].Node);
    }
}
