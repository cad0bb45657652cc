using CsCheck;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Tests.Journal;

/// <summary>What a job knows after a restart is what it knew before.</summary>
public sealed class JobHistoryTests
{
    [Fact]
    public void Replaying_any_prefix_gives_what_was_known_then() => RandomJournals.Job.Sample(
        records =>
        {
            var live = JobHistory.Empty;
            for (var length = 0; length <= records.Length; length++)
            {
                var replayed = records[..length].Select(record => (JobRecord)JournalRow.Of(record).Read())
                    .Aggregate(JobHistory.Empty, (history, record) => history.After(record));
                ShouldBeSame(replayed, live);
                ShouldFollowFrom(replayed, records[..length]);
                live = length < records.Length ? live.After(records[length]) : live;
            }
        },
        iter: 200);

    [Fact]
    public void A_journal_with_a_row_twice_is_refused() => RandomJournals.Job.Sample(
        records =>
        {
            for (var at = 0; at < records.Length; at++)
            {
                var doubled = records.Insert(at, records[at]);

                // A checkpoint twice is the same checkpoint.
                if (records[at] is not CheckpointCommitted)
                {
                    Should.Throw<JournalException>(() => doubled.Aggregate(JobHistory.Empty, (history, record) => history.After(record)))
                        .Message.ShouldStartWith($"the event {records[at].GetType().Name} cannot have happened here: ");
                }
            }
        },
        iter: 50);

    [Fact]
    public void A_summary_at_any_time_stands_for_all_events_before_it() => Gen.Select(RandomJournals.Job, Gen.UInt).Sample(
        (records, place) =>
        {
            var at = (int)(place % (uint)(records.Length + 1));
            var summary = (JobSummary)JournalRow.Of(new JobSummary(
                records.Take(at).Aggregate(JobHistory.Empty, (history, record) => history.After(record)))).Read();
            records.Skip(at).Aggregate(summary.History, (history, record) => history.After(record))
                .ShouldBe(records.Aggregate(JobHistory.Empty, (history, record) => history.After(record)));
        },
        iter: 200);

    [Fact]
    public void A_job_that_begins_again_knows_only_the_numbers_that_must_not_be_used_twice() => RandomJournals.Job.Sample(
        records =>
        {
            Should.Throw<JournalException>(() => records[..^1].Aggregate(JobHistory.Empty, (history, record) => history.After(record)).After(new JobForgotten()));
            var over = records.Aggregate(JobHistory.Empty, (history, record) => history.After(record));
            var again = over.After(new JobForgotten());
            again.ShouldBe(JobHistory.Empty with
            {
                Epoch = over.Epoch,
                Process = over.Process,
                CoordinatorEpoch = over.CoordinatorEpoch,
                Generation = over.Generation,
            });
            again.NeededStates.ShouldBeEmpty();
            Should.Throw<JournalException>(() => again.After(new JobTookOver(over.Epoch)));
            again.After(records[0]).After(new JobPlaced(over.Generation + 1, "again")).Submitted.ShouldBe(records[0]);
        },
        iter: 50);

    [Fact]
    public void A_version_that_was_forced_is_remembered()
    {
        var submitted = (JobSubmitted)RandomJournals.Submitted.Single();
        var history = JobHistory.Empty.After(submitted).After(new VersionForced("two")).After(new VersionForced("three"));
        history.FormerVersions.ShouldBe([submitted.ProgramVersion, "two"]);
        history.Submitted!.ProgramVersion.ShouldBe("three");
        Should.Throw<JournalException>(() => JobHistory.Empty.After(new VersionForced("one")));
    }

    [Fact]
    public void What_the_store_keeps_is_what_can_still_be_asked_for() => RandomJournals.Job.Sample(
        records =>
        {
            var history = records.Aggregate(JobHistory.Empty, (known, record) => known.After(record));
            var needed = history.NeededStates.ToList();
            foreach (var checkpoint in history.Checkpoints)
            {
                needed.Remove(checkpoint.State).ShouldBeTrue();
            }

            if (history.Submitted!.Initial is { } initial)
            {
                needed.Remove(initial).ShouldBeTrue();
            }

            needed.ShouldBe(history.Outcome is JobCompleted completed ? [completed.Weights] : []);
        },
        iter: 100);

    [Fact]
    public void Of_very_many_epochs_the_newest_are_known_and_fit_into_a_summary()
    {
        var history = JobHistory.Empty.After(new JobTookOver(1)).After((JobRecord)RandomJournals.Submitted.Single());
        for (var epoch = 1; epoch <= JobHistory.EpochsKept + 7; epoch++)
        {
            history = history.After(new EpochDecided(new EpochDone(epoch, epoch * 1000L, 1.0 / epoch, 1.0 / 3, 0.9), EndsJob: false, 1L << 40));
        }

        history.Epochs.Select(decided => decided.Epoch.Epoch).ShouldBe(Enumerable.Range(8, JobHistory.EpochsKept));
        var row = JournalRow.Of(new JobSummary(history));
        row.Read().ShouldBe(new JobSummary(history));
        row.Bytes.Length.ShouldBeLessThan(1 << 20);
    }

    // Written a second time, from the events alone.
    private static void ShouldFollowFrom(JobHistory history, IReadOnlyList<JobRecord> records)
    {
        history.Submitted.ShouldBe(records.OfType<JobSubmitted>().SingleOrDefault());
        history.Epoch.ShouldBe(records.OfType<JobTookOver>().LastOrDefault()?.Epoch ?? 0);
        history.Generation.ShouldBe(records.OfType<JobPlaced>().LastOrDefault()?.Generation ?? 0);
        history.Epochs.ShouldBe(records.OfType<EpochDecided>());
        history.LastEpoch.ShouldBe(records.OfType<EpochDecided>().LastOrDefault()?.Epoch);
        history.Outcome.ShouldBe(records.FirstOrDefault(record => record is JobCompleted or JobFailed or JobCancelled));
        var pause = records.LastOrDefault(record => record is JobPaused or JobResumed);
        history.PausedAt.ShouldBe(history.Outcome is null ? (pause as JobPaused)?.Step : null);
        var checkpoints = new List<CheckpointManifest>();
        foreach (var record in records)
        {
            if (record is CheckpointDropped dropped)
            {
                checkpoints.RemoveAll(known => known.Step == dropped.Step);
            }
            else if (record is CheckpointCommitted committed)
            {
                checkpoints = [.. checkpoints.Where(known => known.Step < committed.Manifest.Step), committed.Manifest];
                checkpoints.RemoveRange(0, Math.Max(0, checkpoints.Count - committed.Keep));
            }
        }

        history.Checkpoints.ShouldBe(checkpoints);
        history.NewestCheckpoint.ShouldBe(checkpoints.LastOrDefault());
    }

    private static void ShouldBeSame(JobHistory one, JobHistory other)
    {
        one.Checkpoints.ShouldBe(other.Checkpoints);
        (one with { }).ToString().ShouldBe(other.ToString());
    }
}
