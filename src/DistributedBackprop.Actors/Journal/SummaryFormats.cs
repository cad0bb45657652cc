using System.Collections.Immutable;
using System.Runtime.Serialization;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Jobs.Table;
using static DistributedBackprop.Actors.Journal.JournalFields;
using JobEnd = DistributedBackprop.Actors.Journal.Forms.JobSummary.OutcomeOneofCase;

namespace DistributedBackprop.Actors.Journal;

/// <summary>Summaries of journals.</summary>
internal static class SummaryFormats
{
    // A table of jobs, each with its document.
    private const int MaxTableBytes = 256 << 20;

    public static ImmutableArray<JournalFormat> All { get; } =
    [
        JournalFormat.Of<JobSummary, Forms.JobSummary>("job-summary-1", summary => Write(summary.History), form => new(Read(form))),
        JournalFormat.Of<CoordinatorSummary, Forms.CoordinatorSummary>("coordinator-summary-1", Write, Read, MaxTableBytes),
    ];

    private static Forms.JobSummary Write(JobHistory history)
    {
        var form = new Forms.JobSummary
        {
            Submitted = history.Submitted is { } submitted ? JobRecordFormats.Write(submitted) : null,
            Epoch = history.Epoch,
            Generation = history.Generation,
            WasPlaced = history.WasPlaced,
            Recoveries = history.Recoveries,
            Process = history.Process,
            CoordinatorEpoch = history.CoordinatorEpoch,
            EpochDecided = history.Epochs.IsEmpty ? null : JobRecordFormats.Write(history.Epochs[^1]),
        };
        form.EarlierEpochs.AddRange(history.Epochs.SkipLast(1).Select(JobRecordFormats.Write));
        form.Checkpoints.AddRange(history.Checkpoints.Select(ManifestForm.Write));
        form.FormerVersions.AddRange(history.FormerVersions);
        if (history.PausedAt is { } pausedAt)
        {
            form.PausedAt = pausedAt;
        }

        switch (history.Outcome)
        {
            case JobCompleted completed:
                form.Completed = JobRecordFormats.Write(completed);
                break;
            case JobFailed failed:
                form.Failed = JobRecordFormats.Write(failed);
                break;
            case JobCancelled cancelled:
                form.Cancelled = new() { Step = cancelled.Step };
                break;
        }

        return form;
    }

    private static JobHistory Read(Forms.JobSummary form)
    {
        var epochs = form.EarlierEpochs.Select(JobRecordFormats.Read);
        return JobHistory.Empty with
        {
            Submitted = form.Submitted is null ? null : JobRecordFormats.Read(form.Submitted),
            Epoch = FromZero(form.Epoch, "epoch"),
            Generation = FromZero(form.Generation, "generation"),
            Process = TextOrNone(form.Process, "process"),
            CoordinatorEpoch = FromZero(form.CoordinatorEpoch, "coordinator_epoch"),
            WasPlaced = form.WasPlaced,
            Recoveries = FromZero(form.Recoveries, "recoveries"),
            Epochs = [.. form.EpochDecided is null ? epochs : epochs.Append(JobRecordFormats.Read(form.EpochDecided))],
            Checkpoints = [.. form.Checkpoints.Select(ManifestForm.Read)],
            FormerVersions = [.. form.FormerVersions.Select(version => Text(version, "former_versions"))],
            PausedAt = form.HasPausedAt ? FromZero(form.PausedAt, "paused_at") : null,
            Outcome = form.OutcomeCase switch
            {
                JobEnd.Completed => JobRecordFormats.Read(form.Completed),
                JobEnd.Failed => JobRecordFormats.Read(form.Failed),
                JobEnd.Cancelled => new JobCancelled(FromZero(form.Cancelled.Step, "step")),
                _ => null,
            },
        };
    }

    private static Forms.CoordinatorSummary Write(CoordinatorSummary summary)
    {
        var form = new Forms.CoordinatorSummary
        {
            Epoch = summary.Epoch,
            Process = summary.Process,
            Changes = summary.Changes,
            LastNumber = summary.LastNumber,
        };
        form.Jobs.AddRange(summary.Jobs.Select(JobEntryForm.Write));
        return form;
    }

    private static CoordinatorSummary Read(Forms.CoordinatorSummary form)
    {
        ImmutableArray<JobEntry> jobs = [.. form.Jobs.Select(JobEntryForm.Read)];
        return jobs.Select(job => job.Id).Distinct().Count() == jobs.Length
            ? new(
                WireFields.Number(form.Epoch, "epoch", 1, CoordinatorHistory.MaxEpoch),
                Text(form.Process, "process"),
                FromZero(form.Changes, "changes"),
                jobs,
                FromZero(form.LastNumber, "last_number"))
            : throw new SerializationException("jobs must have ids of their own");
    }
}
