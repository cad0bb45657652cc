using System.Collections.Immutable;
using DistributedBackprop.Actors.Wire;
using static DistributedBackprop.Actors.Journal.JournalFields;

namespace DistributedBackprop.Actors.Journal;

/// <summary>The events of the coordinator's journal.</summary>
internal static class CoordinatorRecordFormats
{
    public static ImmutableArray<JournalFormat> All { get; } =
    [
        JournalFormat.Of<CoordinatorTookOver, Forms.CoordinatorTookOver>(
            "coordinator-took-over-1", record => new() { Epoch = record.Epoch }, form => new(FromOne(form.Epoch, "epoch"))),
        JournalFormat.Of<JobAdded, Forms.JobAdded>(
            "job-added-1",
            record => new() { JobId = record.JobId, Name = record.Name, Order = record.Order },
            form => new(
                GenerationFields.JobId(form.JobId),
                WireFields.Text(form.Name, "name", GenerationFields.MaxJobId),
                FromZero(form.Order, "order"))),
        JournalFormat.Of<JobEnded, Forms.JobEnded>("job-ended-1", Write, Read),
        JournalFormat.Of<JobDeleted, Forms.JobDeleted>(
            "job-deleted-1", record => new() { JobId = record.JobId }, form => new(GenerationFields.JobId(form.JobId))),
    ];

    private static Forms.JobEnded Write(JobEnded record)
    {
        var summary = record.Summary;
        var form = new Forms.JobEnded
        {
            JobId = record.JobId,
            Outcome = (Forms.JobEnded.Types.Outcome)summary.Outcome,
            Step = summary.Step,
            WeightsSha256 = summary.WeightsSha256 ?? "",
            Reason = WireFields.Cut(summary.Reason ?? ""),
        };
        if (summary.TrainLoss is { } trainLoss)
        {
            form.TrainLossBits = Bits(trainLoss);
        }

        if (summary.TestLoss is { } testLoss)
        {
            form.TestLossBits = Bits(testLoss);
        }

        if (summary.TestAccuracy is { } testAccuracy)
        {
            form.TestAccuracyBits = Bits(testAccuracy);
        }

        return form;
    }

    private static JobEnded Read(Forms.JobEnded form) => new(
        GenerationFields.JobId(form.JobId),
        new JobSummary(
            (JobOutcome)WireFields.Number((int)form.Outcome, "outcome", (int)JobOutcome.Completed, (int)JobOutcome.Cancelled),
            FromZero(form.Step, "step"),
            Double(form.HasTrainLossBits, form.TrainLossBits),
            Double(form.HasTestLossBits, form.TestLossBits),
            Double(form.HasTestAccuracyBits, form.TestAccuracyBits),
            form.WeightsSha256.Length == 0 ? null : Sha256(form.WeightsSha256, "weights_sha256"),
            form.Reason.Length == 0 ? null : Reason(form.Reason, "reason")));
}
