using System.Collections.Immutable;
using System.Runtime.Serialization;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Jobs;
using static DistributedBackprop.Actors.Journal.JournalFields;

namespace DistributedBackprop.Actors.Journal;

/// <summary>The events of a job's journal.</summary>
internal static class JobRecordFormats
{
    // Four bytes of UTF-8 for each char at most.
    public const int MaxDocument = 4 * JobFile.MaxLength;

    // From 1970 to 9999: what a DateTimeOffset can hold.
    private const long MaxUnixMilliseconds = 253_402_300_799_999;

    public static ImmutableArray<JournalFormat> All { get; } =
    [
        JournalFormat.Of<JobSubmitted, Forms.JobSubmitted>("job-submitted-1", Write, Read),
        JournalFormat.Of<JobTookOver, Forms.JobTookOver>(
            "job-took-over-1",
            record => new() { Epoch = record.Epoch, Process = record.Process, CoordinatorEpoch = record.CoordinatorEpoch },
            form => new(
                FromOne(form.Epoch, "epoch"),
                TextOrNone(form.Process, "process"),
                FromZero(form.CoordinatorEpoch, "coordinator_epoch"))),
        JournalFormat.Of<JobPlaced, Forms.JobPlaced>(
            "job-placed-1",
            record => new()
            {
                Generation = record.Generation,
                Reason = WireFields.Cut(record.Reason),
                Recoveries = record.Recoveries,
            },
            form => new(
                FromOne(form.Generation, "generation"),
                Reason(form.Reason, "reason"),
                FromZero(form.Recoveries, "recoveries"))),
        JournalFormat.Of<EpochDecided, Forms.EpochDecided>("epoch-decided-1", Write, Read),
        JournalFormat.Of<CheckpointCommitted, Forms.CheckpointCommitted>(
            "checkpoint-committed-1",
            record => new() { Manifest = ManifestForm.Write(record.Manifest), Keep = record.Keep },
            form => new(
                ManifestForm.Read(WireFields.Present(form.Manifest, "manifest")),
                WireFields.Number(form.Keep, "keep", 1, int.MaxValue))),
        JournalFormat.Of<CheckpointDropped, Forms.CheckpointDropped>(
            "checkpoint-dropped-1",
            record => new() { Step = record.Step, Reason = WireFields.Cut(record.Reason) },
            form => new(FromZero(form.Step, "step"), Reason(form.Reason, "reason"))),
        JournalFormat.Of<JobPaused, Forms.JobPaused>(
            "job-paused-1", record => new() { Step = record.Step }, form => new(FromZero(form.Step, "step"))),
        JournalFormat.Of<JobResumed, Forms.JobResumed>("job-resumed-1", _ => new(), _ => new()),
        JournalFormat.Of<JobForgotten, Forms.JobForgotten>("job-forgotten-1", _ => new(), _ => new()),
        JournalFormat.Of<VersionForced, Forms.VersionForced>(
            "version-forced-1", record => new() { Version = record.Version }, form => new(Text(form.Version, "version"))),
        JournalFormat.Of<JobCompleted, Forms.JobCompleted>("job-completed-1", Write, Read),
        JournalFormat.Of<JobFailed, Forms.JobFailed>("job-failed-1", Write, Read),
        JournalFormat.Of<JobCancelled, Forms.JobCancelled>(
            "job-cancelled-1", record => new() { Step = record.Step }, form => new(FromZero(form.Step, "step"))),
    ];

    public static Forms.JobSubmitted Write(JobSubmitted record) => new()
    {
        JobId = record.JobId,
        Document = record.Document,
        DataRoot = record.DataRoot,
        DataFingerprint = record.DataFingerprint,
        InitialSha256 = record.InitialSha256 ?? "",
        Initial = record.Initial is null ? null : ManifestForm.Write(record.Initial),
        ProgramVersion = record.ProgramVersion,
        Order = record.Order,
        SubmittedUnixMilliseconds = record.SubmittedAt.ToUnixTimeMilliseconds(),
    };

    public static JobSubmitted Read(Forms.JobSubmitted form)
    {
        if (form.InitialSha256.Length == 0 != form.Initial is null)
        {
            throw new SerializationException("initial and initial_sha256 must be there both, or none of them");
        }

        return new(
            GenerationFields.JobId(form.JobId),
            WireFields.Text(form.Document, "document", MaxDocument),
            Reason(form.DataRoot, "data_root"),
            Text(form.DataFingerprint, "data_fingerprint"),
            form.Initial is null ? null : Sha256(form.InitialSha256, "initial_sha256"),
            form.Initial is null ? null : ManifestForm.Read(form.Initial),
            Text(form.ProgramVersion, "program_version"),
            FromZero(form.Order, "order"),
            DateTimeOffset.FromUnixTimeMilliseconds(
                WireFields.Number(form.SubmittedUnixMilliseconds, "submitted_unix_milliseconds", 0, MaxUnixMilliseconds)));
    }

    public static Forms.EpochDecided Write(EpochDecided record)
    {
        var epoch = record.Epoch;
        var form = new Forms.EpochDecided
        {
            Epoch = epoch.Epoch,
            Step = epoch.Step,
            TrainLossBits = Bits(epoch.TrainLoss),
            EndsJob = record.EndsJob,
            Number = record.Number,
        };
        if (epoch.TestLoss is { } testLoss)
        {
            form.TestLossBits = Bits(testLoss);
        }

        if (epoch.TestAccuracy is { } testAccuracy)
        {
            form.TestAccuracyBits = Bits(testAccuracy);
        }

        return form;
    }

    public static EpochDecided Read(Forms.EpochDecided form) => new(
        new EpochDone(
            WireFields.Number(form.Epoch, "epoch", 1, int.MaxValue),
            FromOne(form.Step, "step"),
            Double(form.TrainLossBits),
            Double(form.HasTestLossBits, form.TestLossBits),
            Double(form.HasTestAccuracyBits, form.TestAccuracyBits)),
        form.EndsJob,
        FromZero(form.Number, "number"));

    public static Forms.JobCompleted Write(JobCompleted record)
    {
        var form = Write(record.Outcome);
        form.Weights = ManifestForm.Write(record.Weights);
        return form;
    }

    public static JobCompleted Read(Forms.JobCompleted form) =>
        new(ReadOutcome(form), ManifestForm.Read(WireFields.Present(form.Weights, "weights")));

    /// <summary>The last word of a job, without its weights.</summary>
    public static Forms.JobCompleted Write(TrainingCompleted outcome)
    {
        var form = new Forms.JobCompleted
        {
            JobId = outcome.JobId,
            Steps = outcome.Steps,
            Epochs = outcome.Epochs,
            TrainLossBits = Bits(outcome.TrainLoss),
            SamplesPerSecondBits = Bits(outcome.SamplesPerSecond),
            WallSecondsBits = Bits(outcome.WallSeconds),
            WeightsSha256 = outcome.WeightsSha256,
            Nodes = outcome.Nodes,
            Recoveries = outcome.Recoveries,
        };
        if (outcome.TestLoss is { } testLoss)
        {
            form.TestLossBits = Bits(testLoss);
        }

        if (outcome.TestAccuracy is { } testAccuracy)
        {
            form.TestAccuracyBits = Bits(testAccuracy);
        }

        return form;
    }

    /// <summary>The last word of a job, whether or not its weights are there.</summary>
    public static TrainingCompleted ReadOutcome(Forms.JobCompleted form) => new(
        GenerationFields.JobId(form.JobId),
        FromOne(form.Steps, "steps"),
        FromZero(form.Epochs, "epochs"),
        Double(form.TrainLossBits),
        Double(form.HasTestLossBits, form.TestLossBits),
        Double(form.HasTestAccuracyBits, form.TestAccuracyBits),
        Double(form.SamplesPerSecondBits),
        Double(form.WallSecondsBits),
        Sha256(form.WeightsSha256, "weights_sha256"),
        FromZero(form.Nodes, "nodes"),
        FromZero(form.Recoveries, "recoveries"));

    public static Forms.JobFailed Write(JobFailed record) =>
        new() { Step = record.Step, Layer = record.Layer ?? "", Reason = WireFields.Cut(record.Reason) };

    public static JobFailed Read(Forms.JobFailed form) => new(
        FromZero(form.Step, "step"),
        form.Layer.Length == 0 ? null : Text(form.Layer, "layer"),
        Reason(form.Reason, "reason"));

    /// <summary>The last word of a job that has failed.</summary>
    public static Forms.JobFailed Write(TrainingFailed failed) => Write(new JobFailed(failed.Step, failed.Layer, failed.Reason));

    /// <summary>The last word of a job that has failed.</summary>
    public static TrainingFailed ReadOutcome(string id, Forms.JobFailed form)
    {
        var failed = Read(form);
        return new TrainingFailed(id, failed.Step, failed.Layer, failed.Reason);
    }
}
