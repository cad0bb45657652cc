using System.Globalization;
using System.Runtime.CompilerServices;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Tests.Journal;

/// <summary>
/// A journal that was written once and is kept, with every kind of event in it: whatever changes in the program, it is read
/// as it was meant then.
/// </summary>
public sealed class RecordedJournalTests
{
    private static readonly JournalRow[] _rows = RowsOf("version-1.txt");

    // A job ends once: how others ended.
    private static readonly JournalRow[] _otherEnds = RowsOf("version-1.other-ends.txt");

    // What was added since.
    private static readonly JournalRow[] _added = RowsOf("version-2.txt");

    // Epochs with their numbers, and all of them in a summary.
    private static readonly JournalRow[] _numbered = RowsOf("version-3.txt");

    // Takeovers with their process and their coordinator's.
    private static readonly JournalRow[] _named = RowsOf("version-4.txt");

    [Fact]
    public void It_is_replayed_to_what_it_was()
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        var events = _rows.Select(row => row.Read()).ToArray();
        var job = events.OfType<JobRecord>().Aggregate(JobHistory.Empty, (history, record) => history.After(record));
        var coordinator = new CoordinatorHistory(new JobTableLimits());
        events.OfType<CoordinatorRecord>().ToList().ForEach(coordinator.Apply);
        string[] said =
        [
            $"submitted {job.Submitted! with { Initial = null }}",
            $"at {job.Submitted!.SubmittedAt.ToUnixTimeMilliseconds()}",
            $"initial {job.Submitted!.Initial!.Hash}",
            $"owner {job.Epoch} generation {job.Generation} paused {job.PausedAt?.ToString(CultureInfo.InvariantCulture) ?? "-"}",
            $"epoch {job.LastEpoch} ends {job.EndsAfterLastEpoch}",
            .. job.Checkpoints.Select(checkpoint =>
                $"checkpoint {checkpoint.Hash} generation {checkpoint.Generation} {checkpoint.Progress} bytes {checkpoint.State.Bytes}"),
            $"outcome {((JobCompleted)job.Outcome!).Outcome}",
            $"weights {((JobCompleted)job.Outcome).Weights.Hash} {string.Join("; ", ((JobCompleted)job.Outcome).Weights.Chunks)}",
            $"coordinator {coordinator.Epoch} {coordinator.Process} {coordinator.Changes}",
            .. coordinator.Table.All.Select(entry => entry.ToString()),
        ];
        string.Join('\n', said).ShouldBe(File.ReadAllText(FileBeside("version-1.replayed.txt")).TrimEnd('\n'));
        _otherEnds.Select(row => row.Read()).ShouldBe(
        [
            new JobFailed(7, "dense1", "the loss is not finite"),
            new JobFailed(8, null, ""),
            new JobCancelled(9),
        ]);
    }

    [Fact]
    public void What_was_added_is_read_as_it_was_meant()
    {
        var history = Enumerable.Range(0, 16).Aggregate(JobHistory.Empty, (known, row) => known.After((JobRecord)_rows[row].Read()));
        var coordinator = new CoordinatorHistory(new JobTableLimits());
        _rows.Select(row => row.Read()).OfType<CoordinatorRecord>().ToList().ForEach(coordinator.Apply);
        _added.Select(row => row.Read()).ShouldBe(
        [
            new JobForgotten(),
            new VersionForced("0.2.0"),
            new TableChanged(new Training.Jobs.Table.JobPaused("e-1", 7, "another version has begun it")),
            new TableChanged(new Training.Jobs.Table.JobResumed("e-1", IsForced: true)),
            new JobSummary(JobHistory.Empty),
            new JobSummary(history with { FormerVersions = ["0.0.1"], Epochs = [history.Epochs[^1]] }),
            coordinator.Summary,
        ]);
    }

    [Fact]
    public void Epochs_are_read_with_their_numbers()
    {
        var decided = new EpochDecided(new EpochDone(1, 10, 0.1, 0.2, 0.9), EndsJob: false, Number: (1L << 32) + 12);
        var ends = new EpochDecided(new EpochDone(2, 20, 0.05, null, null), EndsJob: true, Number: (1L << 32) + 24);
        _numbered.Select(row => row.Read()).ShouldBe(
            [decided, new JobSummary(JobHistory.Empty with { Epoch = 1, Epochs = [decided, ends] })]);
    }

    [Fact]
    public void Takeovers_are_read_with_their_process_and_their_coordinator()
    {
        var tookOver = new JobTookOver(3, "node 'a' (process 7, 0123456789abcdef)", 2);
        var history = JobHistory.Empty.After(tookOver);
        _named.Select(row => row.Read()).ShouldBe([tookOver, new JobSummary(history)]);
        (history.Process, history.CoordinatorEpoch).ShouldBe((tookOver.Process, 2));

        // An earlier version said neither.
        var before = _rows.Select(row => row.Read()).OfType<JobTookOver>().First();
        (before.Process, before.CoordinatorEpoch).ShouldBe(("", 0));
        history.After(before with { Epoch = 4 }).CoordinatorEpoch.ShouldBe(2);
    }

    [Fact]
    public void It_has_every_kind_of_event_and_each_is_written_as_it_was_then()
    {
        JournalRow[] rows = [.. _rows, .. _otherEnds, .. _added, .. _numbered, .. _named];
        rows.Select(row => row.Read().GetType()).Distinct().ShouldBe(JournalSerializer.Events, ignoreOrder: true);
        foreach (var row in rows)
        {
            JournalRow.Of((IJournalEvent)row.Read()).ToString().ShouldBe(row.ToString());
        }
    }

    private static JournalRow[] RowsOf(string name) => [.. File.ReadLines(FileBeside(name)).Select(JournalRow.Parse)];

    private static string FileBeside(string name, [CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "Recorded", name);
}
