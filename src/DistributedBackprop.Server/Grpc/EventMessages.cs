using DistributedBackprop.Protocol;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Server.Grpc;

/// <summary>Events and places as the service writes them.</summary>
internal static class EventMessages
{
    /// <summary>An event.</summary>
    public static Event Of(NumberedEvent numbered)
    {
        var message = new Event { Number = numbered.Number, Skipped = numbered.Skipped };
        switch (numbered.Event)
        {
            case TrainingWaiting waiting:
                message.Waiting = new Waiting { JobId = waiting.JobId };
                break;
            case TrainingWaits waits:
                message.Waiting = new Waiting { Reason = waits.Reason, Step = waits.Step };
                break;
            case CheckpointSaved checkpoint:
                message.Checkpoint = new Checkpoint { Step = checkpoint.Step, Bytes = checkpoint.Bytes };
                break;
            case TrainingStarted started:
                message.Started = new Started
                {
                    JobId = started.JobId,
                    Layers = started.Layers,
                    Parameters = started.Parameters,
                    Nodes = started.Nodes,
                };
                break;
            case GenerationStarted generation:
                message.Generation = new Generation { Generation_ = generation.Generation, Step = generation.Step, Reason = generation.Reason };
                message.Generation.Placement.AddRange(PlacesOf(generation.Placement));
                break;
            case StepDone step:
                message.Progress = new Progress
                {
                    Step = step.Step,
                    Epoch = step.Epoch,
                    Loss = step.Loss,
                    Accuracy = step.Accuracy,
                    SamplesPerSecond = step.SamplesPerSecond,
                };
                break;
            case EpochDone epoch:
                message.Epoch = Of(epoch);
                break;
            case TrainingPaused paused:
                message.Paused = new Paused { JobId = paused.JobId, Step = paused.Step };
                break;
            case TrainingCompleted completed:
                message.Completed = Of(completed);
                break;
            case TrainingFailed failed:
                message.Failed = new Failed { JobId = failed.JobId, Step = failed.Step, Reason = failed.Reason };
                if (failed.Layer is not null)
                {
                    message.Failed.Layer = failed.Layer;
                }

                break;
            case TrainingCancelled cancelled:
                message.Cancelled = new Cancelled { JobId = cancelled.JobId, Step = cancelled.Step };
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(numbered), numbered, "An event without a form.");
        }

        return message;
    }

    /// <summary>Where the stages of a placement run.</summary>
    public static IEnumerable<Place> PlacesOf(Training.Jobs.Placement placement) =>
        from replica in Enumerable.Range(0, placement.Replicas)
        from stage in Enumerable.Range(0, placement.Stages)
        select new Place { Replica = replica, Stage = stage, Node = placement[replica, stage] };

    private static Epoch Of(EpochDone epoch)
    {
        var message = new Epoch { Epoch_ = epoch.Epoch, Step = epoch.Step, TrainLoss = epoch.TrainLoss };
        if (epoch is { TestLoss: { } loss, TestAccuracy: { } accuracy })
        {
            message.TestLoss = loss;
            message.TestAccuracy = accuracy;
        }

        return message;
    }

    private static Completed Of(TrainingCompleted completed)
    {
        var message = new Completed
        {
            JobId = completed.JobId,
            Steps = completed.Steps,
            Epochs = completed.Epochs,
            TrainLoss = completed.TrainLoss,
            SamplesPerSecond = completed.SamplesPerSecond,
            WallSeconds = completed.WallSeconds,
            WeightsSha256 = completed.WeightsSha256,
            Nodes = completed.Nodes,
            Recoveries = completed.Recoveries,
        };
        if (completed is { TestLoss: { } loss, TestAccuracy: { } accuracy })
        {
            message.TestLoss = loss;
            message.TestAccuracy = accuracy;
        }

        return message;
    }
}
