using System.Globalization;
using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Protocol;
using DistributedBackprop.Training.Jobs;
using JobPlacement = DistributedBackprop.Actors.Jobs.Requests.JobPlacement;

namespace DistributedBackprop.Server.Grpc;

/// <summary>Jobs as the service writes them.</summary>
internal static class JobMessages
{
    /// <summary>A job.</summary>
    public static Job Of(JobStatus status)
    {
        var (entry, mark) = (status.Entry, status.Progress);
        var message = new Job
        {
            Id = entry.Id,
            Name = entry.Submission.Name,
            State = (JobState)((int)entry.State + 1),
            Reason = status.Reason,
            Position = status.Position,
            Step = mark.Step,
            TotalSteps = mark.TotalSteps,
            Epoch = mark.Epoch,
            LastEvent = mark.LastEvent,
            DataRoot = entry.Submission.DataRoot,
            Threads = entry.Submission.Threads,
            WeightsSha256 = (entry.Outcome as TrainingCompleted)?.WeightsSha256 ?? "",
        };
        if (mark.Loss is { } loss)
        {
            message.Loss = loss;
        }

        return message;
    }

    /// <summary>A page of jobs.</summary>
    public static ListResponse Of(JobList list)
    {
        var message = new ListResponse
        {
            NextPageToken = list.HasMore ? list.Jobs[^1].Entry.Number.ToString(CultureInfo.InvariantCulture) : "",
        };
        message.Jobs.AddRange(list.Jobs.Select(Of));
        return message;
    }

    /// <summary>Where a job runs.</summary>
    public static PlacementResponse Of(JobPlacement placement)
    {
        var message = new PlacementResponse();
        if (placement.Newest is { } newest)
        {
            message.Generation = newest.Generation;
            message.Placement.AddRange(EventMessages.PlacesOf(newest.Placement));
        }

        return message;
    }
}
