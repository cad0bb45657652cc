using CsCheck;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Tests.Journal;

/// <summary>What the coordinator knows after a restart is what it knew before.</summary>
public sealed class CoordinatorHistoryTests
{
    private const int Threads = 4;

    private static readonly JobTableLimits _limits = new(Open: 5, Over: 3);

    private static readonly Gen<JobCommand> _command =
        from id in Gen.Int[0, 9].Select(number => $"job{number}")
        from kind in Gen.Int[0, 8]
        select (JobCommand)(kind switch
        {
            0 or 1 or 2 => new SubmitCommand(new JobSubmission(id, "name", "document", "file", "root", 1 + (kind * 2))),
            3 => new PauseCommand(id),
            4 => new ResumeCommand(id),
            5 => new CancelCommand(id),
            6 => new DeleteCommand(id),
            7 => new StoodStill(id, 5),
            _ => new Ended(id, new TrainingFailed(id, 7, "dense1", "why")),
        });

    [Fact]
    public void Replaying_any_prefix_gives_the_table_of_then() => _command.Array[0, 40].Sample(
        commands =>
        {
            var table = new JobTable(_limits);
            var rows = new List<JournalRow> { JournalRow.Of(new CoordinatorTookOver(1, "one")) };
            ShouldBe(rows, table);
            foreach (var command in commands)
            {
                Do(table.Process(command));
                if (table.NextToBegin(Threads) is { } next)
                {
                    Do(table.Process(new BeginCommand(next.Id)));
                }
            }

            void Do(JobDecision decision)
            {
                foreach (var change in decision.Events)
                {
                    table.Apply(change);
                    rows.Add(JournalRow.Of(new TableChanged(change)));
                    ShouldBe(rows, table);
                }
            }
        },
        iter: 200);

    [Fact]
    public void What_cannot_have_happened_is_refused()
    {
        var history = new CoordinatorHistory(_limits);
        Refused(new TableChanged(new JobDeleted("a"))).ShouldContain("nobody has taken over");
        Refused(new CoordinatorTookOver(2, "two")).ShouldContain("its number must be 1 (was 2)");
        history.Apply(new CoordinatorTookOver(1, "one"));
        Refused(new CoordinatorTookOver(1, "two")).ShouldContain("its number must be 2 (was 1)");
        var submitted = new Training.Jobs.Table.JobSubmitted(new JobSubmission("a", "name", "document", "file", "root", 1));
        Refused(new TableChanged(new JobBegan("a"))).ShouldContain("there is no job 'a'");
        history.Apply(new TableChanged(submitted));
        Refused(new TableChanged(submitted)).ShouldContain("job 'a' is waiting");
        Refused(new TableChanged(new JobDeleted("a"))).ShouldContain("job 'a' is waiting");
        Refused(new TableChanged(new JobWished("a", JobWish.Pause))).ShouldContain("job 'a' is waiting");
        history.Changes.ShouldBe(1);
        history.Table.All.ShouldHaveSingleItem().State.ShouldBe(JobState.Waiting);

        string Refused(CoordinatorRecord record) => Should.Throw<JournalException>(() => history.Apply(record)).Message;
    }

    [Fact]
    public void Numbers_of_events_grow_over_takeovers()
    {
        CoordinatorHistory.EventsBegin(1).ShouldBe(0);
        CoordinatorHistory.EventsBegin(2).ShouldBe(1L << 32);
        CoordinatorHistory.EventsBegin(CoordinatorHistory.MaxEpoch).ShouldBePositive();
        Should.Throw<ArgumentOutOfRangeException>(() => CoordinatorHistory.EventsBegin(0));
    }

    private static void ShouldBe(List<JournalRow> rows, JobTable table)
    {
        var history = new CoordinatorHistory(_limits);
        rows.ForEach(row => history.Apply((CoordinatorRecord)row.Read()));
        history.Table.All.ShouldBe(table.All);
        history.Table.Queue.ShouldBe(table.Queue);
        history.Changes.ShouldBe(rows.Count - 1);

        // As it is summed up half way: the rest says the same.
        var half = new CoordinatorHistory(_limits);
        rows.Take(1 + (rows.Count / 2)).ToList().ForEach(row => half.Apply((CoordinatorRecord)row.Read()));
        var summed = CoordinatorHistory.Of((CoordinatorSummary)JournalRow.Of(half.Summary).Read(), _limits);
        rows.Skip(1 + (rows.Count / 2)).ToList().ForEach(row => summed.Apply((CoordinatorRecord)row.Read()));
        summed.Summary.ShouldBe(history.Summary);
        summed.Table.LastNumber.ShouldBe(table.LastNumber);
    }
}
