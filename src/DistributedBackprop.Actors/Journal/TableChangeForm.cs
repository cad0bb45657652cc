using System.Runtime.Serialization;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;
using static DistributedBackprop.Actors.Journal.JournalFields;
using Change = DistributedBackprop.Actors.Journal.Forms.TableChanged.ChangeOneofCase;
using Wish = DistributedBackprop.Actors.Journal.Forms.TableChanged.Types.Wish;

namespace DistributedBackprop.Actors.Journal;

/// <summary>Changes of the table of jobs as they are written.</summary>
internal static class TableChangeForm
{
    public static Forms.TableChanged Write(JobTableEvent change)
    {
        var form = new Forms.TableChanged { JobId = change.Id };
        switch (change)
        {
            case Training.Jobs.Table.JobSubmitted submitted:
                form.Submitted = Write(submitted.Submission);
                break;
            case JobBegan:
                form.Began = new();
                break;
            case JobWished wished:
                form.Wished = (Wish)wished.Wish;
                break;
            case Training.Jobs.Table.JobPaused paused:
                form.Paused = new() { Step = paused.Step, Reason = WireFields.Cut(paused.Reason) };
                break;
            case Training.Jobs.Table.JobResumed resumed:
                form.Resumed = new() { IsForced = resumed.IsForced };
                break;
            case JobEnded ended:
                Write(form, ended.Outcome);
                break;
            case JobDeleted:
                form.Deleted = new();
                break;
            default:
                throw new SerializationException($"{change.GetType().FullName} is not made to be kept in a journal");
        }

        return form;
    }

    public static JobTableEvent Read(Forms.TableChanged form)
    {
        var id = GenerationFields.JobId(form.JobId);
        return form.ChangeCase switch
        {
            Change.Submitted => new Training.Jobs.Table.JobSubmitted(Read(id, form.Submitted)),
            Change.Began => new JobBegan(id),
            Change.Wished => new JobWished(
                id, (JobWish)WireFields.Number((int)form.Wished, "wished", (int)JobWish.Pause, (int)JobWish.Cancel)),
            Change.Paused => new Training.Jobs.Table.JobPaused(
                id, FromZero(form.Paused.Step, "step"), Reason(form.Paused.Reason, "reason")),
            Change.Resumed => new Training.Jobs.Table.JobResumed(id, form.Resumed.IsForced),
            Change.Completed => new JobEnded(id, JobRecordFormats.ReadOutcome(form.Completed)),
            Change.Failed => new JobEnded(id, JobRecordFormats.ReadOutcome(id, form.Failed)),
            Change.Cancelled => new JobEnded(id, new TrainingCancelled(id, FromZero(form.Cancelled.Step, "step"))),
            Change.Deleted => new JobDeleted(id),
            _ => throw new SerializationException("change is missing, or one that a later version has added"),
        };
    }

    public static Forms.Submission Write(JobSubmission submission) => new()
    {
        Name = submission.Name,
        Document = submission.Document,
        FileName = submission.FileName,
        DataRoot = submission.DataRoot,
        Threads = submission.Threads,
    };

    public static JobSubmission Read(string id, Forms.Submission form) => new(
        id,
        WireFields.Text(form.Name, "name", JobRecordFormats.MaxDocument),
        WireFields.Text(form.Document, "document", JobRecordFormats.MaxDocument),
        Text(form.FileName, "file_name"),
        Text(form.DataRoot, "data_root"),
        WireFields.Number(form.Threads, "threads", 1, int.MaxValue));

    private static void Write(Forms.TableChanged form, TrainingEvent outcome)
    {
        switch (outcome)
        {
            case TrainingCompleted completed:
                form.Completed = JobRecordFormats.Write(completed);
                break;
            case TrainingFailed failed:
                form.Failed = JobRecordFormats.Write(failed);
                break;
            case TrainingCancelled cancelled:
                form.Cancelled = new() { Step = cancelled.Step };
                break;
            default:
                throw new SerializationException($"{outcome.GetType().Name} is no end of a job");
        }
    }
}
