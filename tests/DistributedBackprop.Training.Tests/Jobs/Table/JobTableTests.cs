using CsCheck;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Training.Tests.Jobs.Table;

/// <summary>Whatever is asked of the table, in whatever order.</summary>
public sealed class JobTableTests
{
    private const int Threads = 4;

    private static readonly JobTableLimits _limits = new(Open: 5, Over: 3);

    private static readonly Gen<JobCommand> _command =
        from id in Gen.Int[0, 9].Select(number => $"job{number}")
        from threads in Gen.Int[1, 6]
        from kind in Gen.Int[0, 9]
        select (JobCommand)(kind switch
        {
            0 or 1 or 2 => new SubmitCommand(Submission(id, threads)),
            3 => new PauseCommand(id),
            4 => new ResumeCommand(id),
            5 => new CancelCommand(id),
            6 => new DeleteCommand(id),
            7 => new StoodStill(id, 1),
            _ => new Ended(id, kind == 8 ? new TrainingCancelled(id, 1) : new TrainingFailed(id, 1, null, "it had to be")),
        });

    [Fact]
    public void Jobs_begin_in_the_order_of_their_turns_and_only_where_they_fit() => _command.Array[0, 60].Sample(commands =>
    {
        var table = new JobTable(_limits);
        foreach (var command in commands)
        {
            Do(table, command);
            while (table.NextToBegin(Threads) is { } next)
            {
                next.ShouldBe(table.Queue.First());
                Do(table, new BeginCommand(next.Id)).Refusal.ShouldBeNull();
                InUse(table).ShouldBeLessThanOrEqualTo(Threads);
            }

            // Nobody waits where there is room for the first.
            if (table.Queue.FirstOrDefault() is { } first)
            {
                (InUse(table) + Math.Min(first.Submission.Threads, Threads)).ShouldBeGreaterThan(Threads);
                table.PositionOf(first).ShouldBe(1);
                table.ReasonOf(first, Threads).ShouldNotBeEmpty();
            }

            table.Queue.Count().ShouldBeLessThanOrEqualTo(_limits.Open + 1);
            table.All.Count(entry => entry.IsOver).ShouldBeLessThanOrEqualTo(_limits.Over + commands.Length);
        }
    });

    [Fact]
    public void A_journal_of_the_changes_gives_the_same_table() => _command.Array[0, 60].Sample(commands =>
    {
        var (table, copy) = (new JobTable(_limits), new JobTable(_limits));
        foreach (var command in commands)
        {
            foreach (var change in Do(table, command).Events)
            {
                copy.Apply(change);
            }

            if (table.NextToBegin(Threads) is { } next)
            {
                Do(table, new BeginCommand(next.Id)).Events.ToList().ForEach(copy.Apply);
            }
        }

        copy.All.ShouldBe(table.All);
    });

    [Fact]
    public void A_refused_command_changes_nothing_and_says_why() => _command.Array[1, 60].Sample(commands =>
    {
        var table = new JobTable(_limits);
        foreach (var command in commands)
        {
            var before = table.All.ToList();
            var decision = table.Process(command);
            table.All.ShouldBe(before);
            if (decision.Refusal is not null)
            {
                decision.Events.ShouldBeEmpty();
                decision.Reason.ShouldNotBeEmpty();
            }

            decision.Events.ToList().ForEach(table.Apply);
        }
    });

    [Fact]
    public void The_same_job_twice_is_one_and_another_under_its_id_is_refused()
    {
        var table = new JobTable(_limits);
        Do(table, new SubmitCommand(Submission("a", 1)));
        var again = table.Process(new SubmitCommand(Submission("a", 1)));
        again.Refusal.ShouldBeNull();
        again.Events.ShouldBeEmpty();
        table.Process(new SubmitCommand(Submission("a", 1) with { Document = "another" })).Refusal.ShouldBe(Refusal.AlreadyExists);
        table.Process(new SubmitCommand(Submission("a", 1) with { DataRoot = "another" })).Refusal.ShouldBe(Refusal.AlreadyExists);
    }

    [Fact]
    public void So_many_may_wait_and_no_more()
    {
        var table = new JobTable(_limits);
        for (var i = 0; i < _limits.Open; i++)
        {
            Do(table, new SubmitCommand(Submission($"job{i}", 1))).Refusal.ShouldBeNull();
        }

        table.Process(new SubmitCommand(Submission("more", 1))).Refusal.ShouldBe(Refusal.TooMany);

        // The one that is there already is not one more.
        table.Process(new SubmitCommand(Submission("job0", 1))).Refusal.ShouldBeNull();
    }

    [Fact]
    public void Of_those_that_have_ended_the_oldest_make_room()
    {
        var table = new JobTable(_limits);
        for (var i = 0; i < 10; i++)
        {
            Do(table, new SubmitCommand(Submission($"job{i}", 1)));
            Do(table, new CancelCommand($"job{i}"));
        }

        table.All.Select(entry => entry.Id).ShouldBe(["job7", "job8", "job9"]);
    }

    [Fact]
    public void A_job_that_wants_more_than_there_is_gets_all_there_is()
    {
        var table = new JobTable(_limits);
        Do(table, new SubmitCommand(Submission("wide", 100)));
        table.NextToBegin(0).ShouldBeNull();
        table.ReasonOf(table.Find("wide")!, 0).ShouldBe("there is no worker node");
        table.NextToBegin(2)!.Id.ShouldBe("wide");
    }

    [Fact]
    public void Whoever_runs_a_job_has_it_begin_now_wherever_it_and_all_others_stand() =>
        Gen.Select(_command.Array[0, 60], Gen.Int[0, 9].Array[1, 5]).Sample((commands, runs) =>
        {
            var table = new JobTable(_limits);
            foreach (var command in commands)
            {
                Do(table, command);
                if (table.NextToBegin(Threads) is { } next)
                {
                    Do(table, new BeginCommand(next.Id));
                }
            }

            foreach (var run in runs)
            {
                var (id, before) = ($"job{run}", table.All.ToList());
                var decision = Do(table, new RunCommand(before.Find(entry => entry.Id == id)?.Submission ?? Submission(id, 1)));
                decision.Refusal.ShouldBeNull();
                var entry = table.Find(id).ShouldNotBeNull();
                (entry.State, entry.Wish, entry.Outcome).ShouldBe((JobState.Running, JobWish.None, null));

                // Another job only where it had ended.
                var known = before.Find(known => known.Id == id);
                (entry.Number == known?.Number).ShouldBe(known is { IsOver: false });
                table.All.Where(other => other.Id != id).ShouldBeSubsetOf(before);
                before.Where(other => other.Id != id && !other.IsOver).ShouldBeSubsetOf(table.All);
            }
        });

    [Fact]
    public void A_job_whose_data_are_elsewhere_is_begun_by_nobody_else()
    {
        var table = new JobTable(_limits);
        var given = Submission("given", 1) with { DataRoot = JobSubmission.GivenData };
        Do(table, new RunCommand(given));
        Do(table, new StoodStill("given", 7));
        Do(table, new ResumeCommand("given")).Refusal.ShouldBe(Refusal.WrongState);
        Do(table, new RunCommand(given with { Document = "another" })).Refusal.ShouldBe(Refusal.AlreadyExists);
        Do(table, new RunCommand(given)).Refusal.ShouldBeNull();
        Do(table, new Ended("given", new TrainingCancelled("given", 9)));

        // One that has ended stands in nobody's way, unless it was handed in to be kept.
        Do(table, new RunCommand(given with { Document = "another" })).Refusal.ShouldBeNull();
        Do(table, new SubmitCommand(Submission("kept", 1)));
        Do(table, new CancelCommand("kept"));
        Do(table, new RunCommand(Submission("kept", 1) with { DataRoot = JobSubmission.GivenData })).Refusal.ShouldBe(Refusal.AlreadyExists);
    }

    [Fact]
    public void A_cancel_that_was_acknowledged_holds_whatever_the_job_came_to_before_it_heard_of_it()
    {
        JobCommand[] ends =
        [
            new StoodStill("job", 7),
            new Ended("job", new TrainingCancelled("job", 7)),
            new Ended("job", new TrainingCompleted("job", 7, 1, 0.5, null, null, 1, 1, new string('a', 64), 1, 0)),
        ];
        foreach (var end in ends)
        {
            var table = new JobTable(_limits);
            Do(table, new SubmitCommand(Submission("job", 1)));
            Do(table, new BeginCommand("job"));
            Do(table, new PauseCommand("job")).Refusal.ShouldBeNull();
            Do(table, new CancelCommand("job")).Refusal.ShouldBeNull();
            Do(table, new ResumeCommand("job")).Refusal.ShouldBe(Refusal.WrongState);
            Do(table, end).Refusal.ShouldBeNull();
            table.Find("job")!.Outcome.ShouldBe(new TrainingCancelled("job", 7));
        }
    }

    [Fact]
    public void A_job_that_is_about_to_pause_is_resumed_when_it_stands_still()
    {
        var table = new JobTable(_limits);
        Do(table, new SubmitCommand(Submission("job", 1)));
        Do(table, new BeginCommand("job"));
        Do(table, new PauseCommand("job"));
        Do(table, new ResumeCommand("job")).Reason.ShouldContain("about to pause");
        Do(table, new StoodStill("job", 7));
        Do(table, new ResumeCommand("job")).Refusal.ShouldBeNull();
        table.Find("job")!.State.ShouldBe(JobState.Waiting);
    }

    private static JobDecision Do(JobTable table, JobCommand command)
    {
        var decision = table.Process(command);
        decision.Events.ToList().ForEach(table.Apply);
        return decision;
    }

    private static int InUse(JobTable table) =>
        table.All.Where(entry => entry.State == JobState.Running).Sum(entry => Math.Min(entry.Submission.Threads, Threads));

    private static JobSubmission Submission(string id, int threads) => new(id, "job", $"document of {id}", "job.yaml", "default", threads);
}
