using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Server.Running;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Server.Tests.Linked;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;
using Microsoft.Data.Sqlite;

namespace DistributedBackprop.Server.Tests.CrashPoints;

/// <summary>Wherever its process dies, before or after whatever it writes, a job ends with the same weights.</summary>
public sealed class CrashPointTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("backprop-crash-");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("{ replicas: 2, averaging: gradients }", 4)]
    [InlineData("{ replicas: 3, averaging: { parameters: { every: 4, outer: { learningRate: 0.7, momentum: 0.5, nesterov: true }, innerState: keep } } }", 5)]
    public async Task A_job_that_is_stopped_at_any_write_ends_with_the_same_bits(string parallelism, int checkpointEvery)
    {
        var job = Jobs.Durable(parallelism, checkpointEvery);
        var plain = PlainInterpreter.Run(job, Jobs.Points());
        var expected = plain.WeightsSha256;
        var states = SqliteDatabase.Open(_folder.FullName);
        var point = 0;
        var goesOn = true;
        var readFrom = 0L;
        for (; goesOn; point++)
        {
            var run = RunOf(job, $"{checkpointEvery}-{point}");
            var over = await CrashingProcess.RunAsync(states, new CrashPlan(point), run);
            goesOn = over is null;
            var recovery = new CrashPlan();
            over ??= await CrashingProcess.RunAsync(states, recovery, run);
            readFrom = Math.Max(readFrom, recovery.ReadFromOf(run.Id));
            over!.Outcome.ShouldBeOfType<TrainingCompleted>($"after point {point}").WeightsSha256.ShouldBe(expected, $"after point {point}");
            over.Dispose();
        }

        // After a summary.
        readFrom.ShouldBeGreaterThan(2 * CrashingProcess.SummaryEvery);

        // Before and after each: three records of the beginning, one of each epoch, weights and record of the end. How many
        // checkpoints come to that depends on how quick the disk is.
        point.ShouldBeGreaterThan(2 * (3 + plain.Epochs.Count + 2));
    }

    [Fact]
    public async Task A_job_whose_process_dies_again_and_again_ends_with_the_same_bits()
    {
        var job = Jobs.Durable("{ replicas: 2 }", 3);
        var expected = PlainInterpreter.Run(job, Jobs.Points()).WeightsSha256;
        var states = SqliteDatabase.Open(_folder.FullName);
        var run = RunOf(job, "again");
        TrainingResult? over = null;
        var deaths = -1;
        for (var points = 8; over is null; points++)
        {
            over = await CrashingProcess.RunAsync(states, new CrashPlan(points), run);
            deaths++;
        }

        deaths.ShouldBeGreaterThan(3);
        var completed = over.Outcome.ShouldBeOfType<TrainingCompleted>();
        completed.WeightsSha256.ShouldBe(expected);
        completed.Recoveries.ShouldBeInRange(1, deaths);
        over.Dispose();
    }

    [Fact]
    public async Task A_paused_job_goes_on_in_another_process()
    {
        var job = Jobs.Durable("{ replicas: 2 }", 30);
        var expected = PlainInterpreter.Run(job, Jobs.Points()).WeightsSha256;
        var states = SqliteDatabase.Open(_folder.FullName);
        var run = RunOf(job, "paused");
        var paused = await CrashingProcess.RunAsync(states, new CrashPlan(), run, pauses: true);
        paused!.Outcome.ShouldBeOfType<TrainingPaused>();
        var over = await CrashingProcess.RunAsync(states, new CrashPlan(), run);
        var completed = over!.Outcome.ShouldBeOfType<TrainingCompleted>();
        completed.WeightsSha256.ShouldBe(expected);
        completed.Recoveries.ShouldBe(0);
        over.Dispose();
    }

    // Wherever it goes on, it is further than it may run ahead of somebody who has heard of nothing yet.
    private static JobRun RunOf(TrainingJob job, string id) =>
        new(id, job, Graph.Of(job.Model, job.Seed), LinkedExpectation.ToDataSet(job, Jobs.Points()), null) { StepsAhead = 2 };
}
