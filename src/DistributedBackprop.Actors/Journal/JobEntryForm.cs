using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;
using static DistributedBackprop.Actors.Journal.JournalFields;
using JobEnd = DistributedBackprop.Actors.Journal.Forms.JobEntry.OutcomeOneofCase;

namespace DistributedBackprop.Actors.Journal;

/// <summary>Jobs of the table as they are written.</summary>
internal static class JobEntryForm
{
    public static Forms.JobEntry Write(JobEntry entry)
    {
        var form = new Forms.JobEntry
        {
            JobId = entry.Id,
            Submission = TableChangeForm.Write(entry.Submission),
            Number = entry.Number,
            State = (Forms.JobEntry.Types.State)entry.State,
            Turn = entry.Turn,
            Wish = (Forms.TableChanged.Types.Wish)entry.Wish,
            Step = entry.Step,
            WhyPaused = WireFields.Cut(entry.WhyPaused),
            IsForced = entry.IsForced,
        };
        switch (entry.Outcome)
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
        }

        return form;
    }

    public static JobEntry Read(Forms.JobEntry form)
    {
        var id = GenerationFields.JobId(form.JobId);
        return new(
            TableChangeForm.Read(id, WireFields.Present(form.Submission, "submission")),
            FromOne(form.Number, "number"),
            (JobState)WireFields.Number((int)form.State, "state", (int)JobState.Waiting, (int)JobState.Cancelled),
            FromOne(form.Turn, "turn"))
        {
            Wish = (JobWish)WireFields.Number((int)form.Wish, "wish", (int)JobWish.None, (int)JobWish.Cancel),
            Step = FromZero(form.Step, "step"),
            WhyPaused = Reason(form.WhyPaused, "why_paused"),
            IsForced = form.IsForced,
            Outcome = form.OutcomeCase switch
            {
                JobEnd.Completed => JobRecordFormats.ReadOutcome(form.Completed),
                JobEnd.Failed => JobRecordFormats.ReadOutcome(id, form.Failed),
                JobEnd.Cancelled => new TrainingCancelled(id, FromZero(form.Cancelled.Step, "step")),
                _ => null,
            },
        };
    }
}
