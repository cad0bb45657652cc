using System.Collections.Immutable;
using System.Diagnostics;
using Akka.Actor;
using Akka.Configuration;
using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Server.Tests.CrashPoints;
using DistributedBackprop.Server.Tests.Storage;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;
using Microsoft.Data.Sqlite;
using Xunit.Abstractions;

namespace DistributedBackprop.Server.Tests.Durable;

/// <summary>One coordinator follows another on one database.</summary>
[Collection(StorageCollection.Name)]
public sealed class CoordinatorTakeoverTests(Databases databases, ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task What_was_acknowledged_is_there_and_what_was_wished_is_wished_still(string kind)
    {
        var database = databases.New(kind);
        var first = CoordinatorProcess.Start(database);
        await first.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("a", "of a")));
        await first.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("b")));
        await first.DoAsync(new PauseCommand("b"));
        (await first.DoAsync(new PauseCommand("a"))).Wish.ShouldBe(JobWish.Pause);
        await first.KillAsync();

        var second = CoordinatorProcess.Start(database);
        var again = await second.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("a", "of a")));
        again.State.ShouldBe(JobState.Running);
        again.Wish.ShouldBe(JobWish.Pause);
        var other = await second.AskAsync<RequestRefused>(new CommandRequest(new SubmitCommand(CoordinatorProcess.Submission("a", "another"))));
        other.Refusal.ShouldBe(Refusal.AlreadyExists);
        (await second.ListAsync()).Select(status => status.Entry.State).ShouldBe([JobState.Running, JobState.Paused]);
        await second.LoadedAsync("a", null);
        await second.UntilAsync("a", JobState.Paused);
        await second.KillAsync();
    }

    [Fact]
    public async Task Numbers_of_events_grow_so_that_whoever_watches_misses_nothing_that_comes()
    {
        var database = databases.New("SQLite");
        var first = CoordinatorProcess.Start(database);
        await first.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("a")));
        await first.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("b")));
        await first.DoAsync(new CancelCommand("b"));
        var seen = await first.AskAsync<EventBatch>(new EventsRequest("a", 0, 100, 1));
        seen.Events.Select(numbered => numbered.Event).ShouldBe([new TrainingWaiting("a")]);
        await first.KillAsync();

        var second = CoordinatorProcess.Start(database);
        await second.LoadedAsync("a", null);
        await second.DoAsync(new CancelCommand("a"));
        await second.UntilAsync("a", JobState.Cancelled);
        var rest = await second.AskAsync<EventBatch>(new EventsRequest("a", seen.Next, 100, 1));
        rest.Events.Select(numbered => numbered.Event).Where(happened => happened is not TrainingWaits)
            .ShouldBe([new TrainingWaiting("a"), new TrainingCancelled("a", 0)]);
        rest.Events[0].Number.ShouldBe(CoordinatorHistory.EventsBegin(2) + 1);
        rest.Events[0].Number.ShouldBeGreaterThan(seen.Next);
        rest.IsEnd.ShouldBeTrue();

        // One that ended before is told by its last word.
        var ended = await second.AskAsync<EventBatch>(new EventsRequest("b", 0, 100, 1));
        ended.Events.ShouldHaveSingleItem().Event.ShouldBe(new TrainingCancelled("b", 0));
        (await second.AskAsync<JobStatus>(new StatusRequest("b"))).Progress.LastEvent.ShouldBe(ended.Next);
        await second.KillAsync();
    }

    [Fact]
    public async Task A_job_that_ran_and_cannot_be_read_is_read_again_until_it_can_be()
    {
        var database = databases.New("SQLite");
        var first = CoordinatorProcess.Start(database);
        await first.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("a")));
        await first.LoadedAsync("a", null);
        await first.KillAsync();

        var second = CoordinatorProcess.Start(database);
        for (var failures = 1; failures <= 2; failures++)
        {
            await second.LoadedAsync("a", $"the disk is away, {failures}");
            var waits = await second.UntilWaitsAsync("a");
            waits.Reason.ShouldBe($"it cannot be read at present, and is tried again: the disk is away, {failures}");
            var status = await second.AskAsync<JobStatus>(new StatusRequest("a"));
            status.Entry.State.ShouldBe(JobState.Running);
            status.Reason.ShouldBe(waits.Reason);
        }

        await second.LoadedAsync("a", null);
        (await second.AskAsync<JobStatus>(new StatusRequest("a"))).Entry.State.ShouldBe(JobState.Running);
        await second.KillAsync();
    }

    [Theory]
    [InlineData(JobState.Cancelled)]
    [InlineData(JobState.Paused)]
    public async Task A_job_that_cannot_be_read_is_cancelled_or_paused_at_once(JobState wished)
    {
        var database = databases.New("SQLite");
        var first = CoordinatorProcess.Start(database);
        await first.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("a")));
        await first.LoadedAsync("a", null);
        await first.KillAsync();

        var second = CoordinatorProcess.Start(database);
        await second.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("b")));
        await second.LoadedAsync("a", "the disk is away");
        await second.UntilWaitsAsync("a");
        await second.DoAsync(wished == JobState.Paused ? new PauseCommand("a") : new CancelCommand("a"));
        await second.UntilAsync("a", wished);

        // Its thread is free for the next of the queue.
        await second.UntilAsync("b", JobState.Running);
        if (wished == JobState.Cancelled)
        {
            await second.AskAsync<JobStatus>(new CommandRequest(new DeleteCommand("a")));
        }

        await second.KillAsync();
    }

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task Of_two_coordinators_the_first_ends_itself_and_says_so(string kind)
    {
        var database = databases.New(kind);
        var first = CoordinatorProcess.Start(database);
        await first.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("a")));
        var second = CoordinatorProcess.Start(database);
        (await second.ListAsync()).ShouldHaveSingleItem();

        // It does not know yet; its next event finds it out, and is not answered.
        var late = first.AskAsync(new CommandRequest(new SubmitCommand(CoordinatorProcess.Submission("late"))));
        (await first.Refused.WaitAsync(CoordinatorProcess.Patience))
            .ShouldBe($"another process coordinates now: {second.Name} (it has taken over as number 2)");
        await second.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("b")));
        (await second.ListAsync()).Select(status => status.Entry.Id).ShouldBe(["a", "b"]);
        late.IsCompletedSuccessfully.ShouldBeFalse();
        second.Refused.IsCompleted.ShouldBeFalse();
        await first.KillAsync();
        await second.KillAsync();
    }

    [SkippableFact]
    public async Task A_database_that_is_away_for_a_while_is_waited_for()
    {
        var database = databases.New("PostgreSQL");
        var process = CoordinatorProcess.Start(database);
        await process.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("a")));
        await process.UntilAsync("a", JobState.Running);
        Task<JobEntry>? submitted = null;
        databases.Server.Restart(() =>
        {
            submitted = process.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("b")));

            // What is known is told meanwhile.
            process.StatusAsync("a").WaitAsync(CoordinatorProcess.Patience).GetAwaiter().GetResult().State.ShouldBe(JobState.Running);
            submitted.IsCompleted.ShouldBeFalse();
        });
        (await submitted!.WaitAsync(CoordinatorProcess.Patience)).State.ShouldBe(JobState.Waiting);
        process.Refused.IsCompleted.ShouldBeFalse();
        await process.KillAsync();
        process = CoordinatorProcess.Start(database);
        (await process.ListAsync()).Select(status => status.Entry.Id).ShouldBe(["a", "b"]);
        await process.KillAsync();
    }

    [Fact]
    public async Task A_job_whose_actor_stops_with_the_process_has_not_failed()
    {
        var database = databases.New("SQLite");
        var process = CoordinatorProcess.Start(database);
        await process.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("a")));
        await process.UntilAsync("a", JobState.Running);
        await process.LoadedAsync("a", null);
        await process.StopJobAsync("a");

        // Each answer comes after what the one asked has been told before: the record, the queue, the journal.
        await process.AskAsync<EventBatch>(new EventsRequest("a", 0, 100, 1));
        await process.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("b")));
        (await process.StatusAsync("a")).State.ShouldBe(JobState.Running);
        await process.KillAsync();
        process = CoordinatorProcess.Start(database);
        (await process.ListAsync()).Select(status => status.Entry.State).ShouldBe([JobState.Running, JobState.Waiting]);
        await process.KillAsync();
    }

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task However_many_jobs_there_were_the_journal_is_read_from_its_last_summary_on(string kind)
    {
        const int every = 10;
        var database = databases.New(kind);
        var process = CoordinatorProcess.Start(database, null, every);
        for (var number = 0; number < 20; number++)
        {
            var id = $"job-{number}";
            await process.DoAsync(new SubmitCommand(CoordinatorProcess.Submission(id)));
            await process.DoAsync(new CancelCommand(id));
            await process.LoadedAsync(id, null);
            await process.UntilAsync(id, JobState.Cancelled);
        }

        var known = await process.ListAsync();
        await process.KillAsync();
        var plan = new CrashPlan();
        process = CoordinatorProcess.Start(database, plan, every);
        (await process.ListAsync()).Select(status => status.Entry).ShouldBe(known.Select(status => status.Entry));

        // Of each job four events at most; the last summary may have come too late.
        plan.ReadFrom("coordinator").ShouldBeGreaterThan((20 * 3) - (2 * every));
        await process.KillAsync();
    }

    [Fact]
    public async Task A_summary_that_is_damaged_is_done_without()
    {
        var database = databases.New("SQLite");
        await WriteAsync(database, [.. Enumerable.Range(0, 200).SelectMany(number => Ended(number))]);
        using (var connection = new SqliteConnection(database.JournalConnectionString))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE snapshot SET snapshot = substr(snapshot, 1, length(snapshot) - 1) || x'00'";
            command.ExecuteNonQuery().ShouldBe(1);
        }

        var plan = new CrashPlan();
        var process = CoordinatorProcess.Start(database, plan);
        (await process.ListAsync()).Count.ShouldBe(200);
        plan.ReadFrom("coordinator").ShouldBe(1);
        await process.KillAsync();
    }

    [Fact]
    public async Task A_thousand_jobs_that_have_ended_are_there_soon_after_the_start()
    {
        const int jobs = 1000;
        var database = databases.New("SQLite");
        await WriteAsync(database, [.. Enumerable.Range(0, jobs).SelectMany(number => Ended(number))]);
        var watch = Stopwatch.StartNew();
        var process = CoordinatorProcess.Start(database);
        var known = await process.ListAsync();
        output.WriteLine($"{jobs} jobs that have ended, {3 * jobs} events: {watch.ElapsedMilliseconds} ms from the start to the list of them");
        known.Count.ShouldBe(jobs);
        known.ShouldAllBe(status => status.Progress.Step == 20);
        await process.KillAsync();
    }

    private static ImmutableArray<JobTableEvent> Ended(int number)
    {
        var id = $"job-{number}";
        return
        [
            new Training.Jobs.Table.JobSubmitted(CoordinatorProcess.Submission(id, new string('x', 2000))),
            new JobBegan(id),
            new JobEnded(id, new TrainingCompleted(id, 20, 2, 0.5, 0.5, 0.5, 1, 1, new string('a', 64), 1, 0)),
        ];
    }

    private static async Task WriteAsync(JobDatabase database, ImmutableArray<JobTableEvent> changes)
    {
        var system = ActorSystem.Create(
            "writer", ConfigurationFactory.ParseString("akka { loglevel = OFF, stdout-loglevel = OFF }").WithFallback(JournalPlugin.Configuration(database)));
        var kept = new TaskCompletionSource();
        system.ActorOf(Props.Create(() => new Writer(changes, kept)));
        await kept.Task.WaitAsync(CoordinatorProcess.Patience);
        await system.Terminate();
    }

    private sealed class Writer : ReceiveActor
    {
        public Writer(ImmutableArray<JobTableEvent> changes, TaskCompletionSource kept)
        {
            Context.ActorOf(CoordinatorJournalActor.Props(new JournalOfCoordinator("writer", new JobTableLimits(), false)));
            Receive<CoordinatorJournalOpened>(opened => opened.Journal.Tell(new KeepChanges(changes)));
            Receive<ChangesKept>(_ => kept.SetResult());
            Receive<CoordinatorJournalLost>(lost => kept.SetException(new InvalidOperationException(lost.Reason)));
        }
    }
}
