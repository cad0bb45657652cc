using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Server.Tests.CrashPoints;
using DistributedBackprop.Server.Tests.Storage;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;
using Npgsql;
using Xunit.Abstractions;

namespace DistributedBackprop.Server.Tests.Durable;

/// <summary>
/// The coordinator's process dies before and after each event and each summary of its journal in turn. Whoever was not answered asks again; all
/// ends as if it had not died.
/// </summary>
[Collection(StorageCollection.Name)]
public sealed class CoordinatorCrashTests(Databases databases, ITestOutputHelper output)
{
    private const int SummaryEvery = 5;

    // One thread: b waits until a is put aside, and a for b.
    private static readonly Func<CoordinatorProcess, Task>[] _course =
    [
        process => process.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("a"))),
        process => process.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("b"))),
        process => process.UntilAsync("a", JobState.Running),
        process => process.DoAsync(new PauseCommand("a")),
        process => LoadedAsync(process, "a", null, JobState.Paused),
        process => process.UntilAsync("b", JobState.Running),
        process => process.DoAsync(new ResumeCommand("a")),
        process => process.DoAsync(new CancelCommand("b")),
        process => LoadedAsync(process, "b", null, JobState.Cancelled),
        process => process.UntilAsync("a", JobState.Running),
        process => process.DoAsync(new CancelCommand("a")),
        process => LoadedAsync(process, "a", "there is no such data", JobState.Cancelled),
        process => process.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("c"))),

        // Of one that is gone already there is nothing to answer.
        process => process.AskAsync(new CommandRequest(new DeleteCommand("b"))),

        // What follows the last answer may be the last event.
        process => process.UntilAsync("c", JobState.Running),
    ];

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task All_ends_as_if_it_had_not_died(string kind)
    {
        var undisturbed = new CrashPlan();
        var expected = await RunAsync(databases.New(kind), undisturbed);
        expected.Select(entry => (entry.Id, entry.State)).ShouldBe([("a", JobState.Cancelled), ("c", JobState.Running)]);
        expected[0].Outcome.ShouldBe(new TrainingCancelled("a", 0));
        var point = 0;
        for (var goesOn = true; goesOn; point++)
        {
            var plan = new CrashPlan(point);
            (await RunAsync(databases.New(kind), plan)).ShouldBe(expected, $"after point {point}");
            goesOn = plan.Crashed.IsCompleted;
        }

        // Before and after each: fifteen events, and two summaries at least.
        point.ShouldBeGreaterThan(2 * (15 + 2));
        output.WriteLine($"{kind}: dead at each of {point} points");
    }

    // A process that follows loads it again.
    private static async Task LoadedAsync(CoordinatorProcess process, string id, string? reason, JobState then)
    {
        await process.LoadedAsync(id, reason);
        await process.UntilAsync(id, then);
    }

    private static async Task<List<JobEntry>> RunAsync(JobDatabase database, CrashPlan plan)
    {
        var process = CoordinatorProcess.Start(database, plan, SummaryEvery);
        foreach (var step in _course)
        {
            var done = step(process);
            if (await Task.WhenAny(done, process.Plan.Crashed) != done)
            {
                await process.KillAsync();
                process = CoordinatorProcess.Start(database, new CrashPlan(), SummaryEvery);
                done = step(process);
            }

            await done.WaitAsync(CoordinatorProcess.Patience);
        }

        var entries = (await process.ListAsync()).Select(status => status.Entry).ToList();
        await process.KillAsync();
        process = CoordinatorProcess.Start(database, new CrashPlan(), SummaryEvery);
        (await process.ListAsync()).Select(status => status.Entry).ShouldBe(entries);
        await process.KillAsync();

        // A server takes only so many connections, and each database has its own.
        NpgsqlConnection.ClearAllPools();
        return entries;
    }
}
