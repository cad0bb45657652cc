using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Server.Tests.Storage;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;
using Xunit.Abstractions;

namespace DistributedBackprop.Server.Tests.Durable;

/// <summary>
/// The coordinator's process dies before and after each event of its journal in turn. Whoever was not answered asks again; all
/// ends as if it had not died.
/// </summary>
[Collection(StorageCollection.Name)]
public sealed class CoordinatorCrashTests(Databases databases, ITestOutputHelper output)
{
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
        process => LoadedAsync(process, "a", "there is no such data", JobState.Failed),
        process => process.DoAsync(new SubmitCommand(CoordinatorProcess.Submission("c"))),

        // Of one that is gone already there is nothing to answer.
        process => process.AskAsync(new CommandRequest(new DeleteCommand("b"))),
    ];

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task All_ends_as_if_it_had_not_died(string kind)
    {
        var undisturbed = new CrashPlan();
        var expected = await RunAsync(databases.New(kind), undisturbed);
        expected.Select(entry => (entry.Id, entry.State)).ShouldBe([("a", JobState.Failed), ("c", JobState.Running)]);
        expected[0].Outcome.ShouldBe(new TrainingFailed("a", 0, null, "there is no such data"));
        undisturbed.Writes.ShouldBe(15);
        for (var write = 1; write <= undisturbed.Writes; write++)
        {
            foreach (var isAfter in new[] { false, true })
            {
                var plan = new CrashPlan(write, isAfter);
                (await RunAsync(databases.New(kind), plan)).ShouldBe(expected, $"{(isAfter ? "after" : "before")} event {write}");
                plan.Crashed.IsCompleted.ShouldBeTrue();
            }
        }

        output.WriteLine($"{kind}: dead before and after each of {undisturbed.Writes} events");
    }

    // A process that follows loads it again.
    private static async Task LoadedAsync(CoordinatorProcess process, string id, string? reason, JobState then)
    {
        await process.LoadedAsync(id, reason);
        await process.UntilAsync(id, then);
    }

    private static async Task<List<JobEntry>> RunAsync(JobDatabase database, CrashPlan plan)
    {
        var process = CoordinatorProcess.Start(database, plan);
        foreach (var step in _course)
        {
            var done = step(process);
            if (await Task.WhenAny(done, process.Plan.Crashed) != done)
            {
                await process.KillAsync();
                process = CoordinatorProcess.Start(database);
                done = step(process);
            }

            await done.WaitAsync(CoordinatorProcess.Patience);
        }

        // What follows the last answer may be the last event.
        await process.UntilAsync("c", JobState.Running).WaitAsync(CoordinatorProcess.Patience);
        var entries = (await process.ListAsync()).Select(status => status.Entry).ToList();
        await process.KillAsync();
        process = CoordinatorProcess.Start(database);
        (await process.ListAsync()).Select(status => status.Entry).ShouldBe(entries);
        await process.KillAsync();
        return entries;
    }
}
