using System.Security.Cryptography;
using Akka.Actor;
using Akka.Configuration;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Protocol;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Training.Jobs.Table;
using Grpc.Core;
using Microsoft.Data.Sqlite;
using JobState = DistributedBackprop.Protocol.JobState;

namespace DistributedBackprop.Server.Tests.Grpc;

/// <summary>A service that keeps its jobs, and is started again.</summary>
public sealed class KeptJobsTests : IDisposable
{
    private const int CheckpointEvery = 5;

    private static readonly float[] _corners = [0, 0, 0, 1, 1, 0, 1, 1];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("backprop-kept-");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task What_a_job_has_trained_is_there_after_a_restart()
    {
        string hash;
        PredictResponse before;
        await using (var first = await StartAsync())
        {
            var completed = (await first.Service.TrainAsync("done", ServiceNode.Xor()))[^1].Completed;
            hash = completed.WeightsSha256;
            before = await PredictAsync(first.Service, "done");
            before.Step.ShouldBe(completed.Steps);
        }

        await using var second = await StartAsync();
        (await HashOfExportAsync(second.Service, "done")).ShouldBe(hash);
        (await PredictAsync(second.Service, "done")).ShouldBe(before);

        // From memory, too.
        (await HashOfExportAsync(second.Service, "done")).ShouldBe(hash);
    }

    [Fact]
    public async Task A_job_that_has_not_completed_predicts_with_its_newest_checkpoint()
    {
        PredictResponse paused;
        await using (var first = await StartAsync())
        {
            await first.Service.SubmitAsync("long", Long());
            await first.Service.UntilAsync("long", happened => happened.BodyCase == Event.BodyOneofCase.Checkpoint);
            var running = await PredictAsync(first.Service, "long");
            running.Step.ShouldBeGreaterThan(0);
            (running.Step % CheckpointEvery).ShouldBe(0);
            (await RefusalAsync(() => HashOfExportAsync(first.Service, "long"))).ShouldBe(StatusCode.FailedPrecondition);

            await first.Service.Training.PauseAsync(new PauseRequest { Id = "long" }, first.Service.Call());
            await first.Service.UntilAsync("long", happened => happened.BodyCase == Event.BodyOneofCase.Paused);
            paused = await PredictAsync(first.Service, "long");
            paused.Step.ShouldBe((await GetAsync(first.Service, "long")).Step);
            paused.Step.ShouldBeGreaterThanOrEqualTo(running.Step);
        }

        await using var second = await StartAsync();
        (await PredictAsync(second.Service, "long")).ShouldBe(paused);

        // One that waits and has never run has nothing.
        await second.Service.Training.ResumeAsync(new ResumeRequest { Id = "long" }, second.Service.Call());
        await second.Service.SubmitAsync("waits", ServiceNode.Xor());
        (await RefusalAsync(() => PredictAsync(second.Service, "waits"))).ShouldBe(StatusCode.FailedPrecondition);
        await second.Service.Training.CancelAsync(new CancelRequest { Id = "long" }, second.Service.Call());
        await second.Service.WatchAsync("waits", every: 1_000_000);

        // What was cancelled has come to its checkpoints.
        (await PredictAsync(second.Service, "long")).Step.ShouldBeGreaterThanOrEqualTo(paused.Step);
    }

    [Fact]
    public async Task A_job_predicts_with_its_newest_checkpoint_also_where_nothing_is_kept()
    {
        await using var node = await StartAsync(new ServiceNode());
        await node.Service.SubmitAsync("long", Long());
        await node.Service.UntilAsync("long", happened => happened.BodyCase == Event.BodyOneofCase.Checkpoint);
        var running = await PredictAsync(node.Service, "long");
        (running.Step % CheckpointEvery).ShouldBe(0);
        await node.Service.Training.PauseAsync(new PauseRequest { Id = "long" }, node.Service.Call());
        await node.Service.UntilAsync("long", happened => happened.BodyCase == Event.BodyOneofCase.Paused);
        var paused = await PredictAsync(node.Service, "long");
        paused.Step.ShouldBe((await GetAsync(node.Service, "long")).Step);
        paused.Step.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Nothing_is_left_of_a_job_that_is_deleted()
    {
        await using var node = await StartAsync();
        await node.Service.TrainAsync("gone", ServiceNode.Xor(2));
        Rows("gone.1").ShouldBeGreaterThan(0);
        await node.Service.Training.DeleteAsync(new DeleteRequest { Id = "gone" }, node.Service.Call());

        // The store does one thing after the other: what another job keeps comes after the removal.
        await node.Service.TrainAsync("next", ServiceNode.Xor(2));
        Rows("gone.1").ShouldBe(0);
        Rows("next.2").ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_pause_that_was_wished_before_a_restart_stands_where_the_job_stood()
    {
        await using (var first = await StartAsync())
        {
            await first.Service.SubmitAsync("long", Long());
            await first.Service.UntilAsync("long", happened => happened.BodyCase == Event.BodyOneofCase.Checkpoint);
        }

        // As if the process had ended right after the wish.
        await WriteAsync(new JobWished("long", JobWish.Pause));
        await using var second = await StartAsync();
        await second.Service.UntilAsync("long", happened => happened.BodyCase == Event.BodyOneofCase.Paused);
        var job = await GetAsync(second.Service, "long");
        job.State.ShouldBe(JobState.Paused);
        job.Step.ShouldBeGreaterThanOrEqualTo(CheckpointEvery);
        (job.Step % CheckpointEvery).ShouldBe(0);
    }

    [Fact]
    public async Task Another_version_goes_on_with_a_job_only_if_it_is_forced()
    {
        await using (var first = await StartAsync(version: "1.0"))
        {
            await first.Service.SubmitAsync("long", Long(epochs: 800));
            await first.Service.UntilAsync("long", happened => happened.BodyCase == Event.BodyOneofCase.Checkpoint);
        }

        await using var second = await StartAsync(version: "2.0");
        await second.Service.UntilAsync("long", happened => happened.BodyCase == Event.BodyOneofCase.Paused);
        var paused = await GetAsync(second.Service, "long");
        paused.State.ShouldBe(JobState.Paused);
        paused.Step.ShouldBeGreaterThan(0);
        paused.Reason.ShouldContain("version 1.0 has begun the job, and this is 2.0");

        await second.Service.Training.ResumeAsync(new ResumeRequest { Id = "long" }, second.Service.Call());
        await PausedAgainAsync(second.Service, paused.LastEvent);
        (await GetAsync(second.Service, "long")).Reason.ShouldContain("--force");
        Events("job-long.1", "version-forced-1").ShouldBe(0);

        await second.Service.Training.ResumeAsync(new ResumeRequest { Id = "long", Force = true }, second.Service.Call());
        (await second.Service.WatchAsync("long", every: 1_000_000))[^1].Completed.ShouldNotBeNull();
        Events("job-long.1", "version-forced-1").ShouldBe(1);
    }

    [Fact]
    public async Task Epochs_that_were_told_before_a_restart_are_told_to_whoever_watches_later()
    {
        const long ofSecond = 1L << 32;
        List<Event> told, toldBySecond;
        await using (var first = await StartAsync())
        {
            await first.Service.SubmitAsync("long", Long());
            await EpochsAsync(first.Service, 0, 3);
            await first.Service.Training.PauseAsync(new PauseRequest { Id = "long" }, first.Service.Call());
            await first.Service.UntilAsync("long", happened => happened.BodyCase == Event.BodyOneofCase.Paused);
            var paused = await GetAsync(first.Service, "long");
            await first.Service.Training.ResumeAsync(new ResumeRequest { Id = "long" }, first.Service.Call());
            await EpochsAsync(first.Service, paused.LastEvent, 5);
            told = await EpochsAsync(first.Service, 0, paused.Epoch + 5);
        }

        await using (var second = await StartAsync())
        {
            // The same events, under the same numbers; and whoever has seen some goes on after them.
            var later = await EpochsAsync(second.Service, 0, told.Count + 3);
            later.Select(happened => happened.Epoch.Epoch_).ShouldBe(Enumerable.Range(1, told.Count + 3));
            later.Take(told.Count).ShouldBe(told);
            (await EpochsAsync(second.Service, told[2].Number, told.Count)).ShouldBe(later.Skip(3));
            toldBySecond = await EpochsAsync(second.Service, ofSecond, 5);
            await second.Service.Training.CancelAsync(new CancelRequest { Id = "long" }, second.Service.Call());
            await second.Service.WatchAsync("long", ofSecond, every: 1_000_000);
        }

        await using var third = await StartAsync();
        var all = await third.Service.WatchAsync("long");
        all.Select(happened => happened.Number).ShouldBeInOrder(SortDirection.Ascending);
        all[^1].Cancelled.ShouldNotBeNull();
        all.SkipLast(1).Select(happened => happened.Epoch.Epoch_).ShouldBe(Enumerable.Range(1, all.Count - 1));
        all.Take(told.Count).ShouldBe(told);
        all.ShouldContain(toldBySecond[0]);
        all.SkipWhile(happened => happened.Number < toldBySecond[0].Number).Take(5).ShouldBe(toldBySecond);
        (await third.Service.WatchAsync("long", all[^2].Number)).ShouldBe([all[^1]]);
    }

    private async Task<Running> StartAsync(ServiceNode? service = null, string? version = null)
    {
        service ??= new ServiceNode { Folder = _folder.FullName, Version = version };
        await service.InitializeAsync();
        return new Running(service);
    }

    private static string Long(int epochs = 1_000_000) =>
        $"{ServiceNode.Xor(epochs)}\ncheckpoints: {{ everySteps: {CheckpointEvery} }}";

    private static async Task PausedAgainAsync(ServiceNode service, long after)
    {
        using var call = service.Training.Watch(new WatchRequest { Id = "long", AfterEvent = after }, service.Call());
        await foreach (var happened in call.ResponseStream.ReadAllAsync())
        {
            if (happened.BodyCase == Event.BodyOneofCase.Paused)
            {
                return;
            }
        }
    }

    private static async Task<List<Event>> EpochsAsync(ServiceNode service, long after, int count)
    {
        using var call = service.Training.Watch(
            new WatchRequest { Id = "long", AfterEvent = after, ProgressEvery = 1_000_000 }, service.Call());
        var epochs = new List<Event>();
        while (epochs.Count < count && await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            if (call.ResponseStream.Current is { BodyCase: Event.BodyOneofCase.Epoch } happened)
            {
                epochs.Add(happened);
            }
        }

        return epochs;
    }

    private static async Task<Job> GetAsync(ServiceNode service, string id) =>
        await service.Training.GetAsync(new GetRequest { Id = id }, service.Call());

    private static async Task<PredictResponse> PredictAsync(ServiceNode service, string id) =>
        await service.Models.PredictAsync(new PredictRequest { Id = id, Features = { _corners } }, service.Call());

    private static async Task<StatusCode> RefusalAsync(Func<Task> call) => (await Should.ThrowAsync<RpcException>(call)).StatusCode;

    // Of the tensors alone, which is what a job tells.
    private static async Task<string> HashOfExportAsync(ServiceNode service, string id)
    {
        using var file = new MemoryStream();
        using var call = service.Models.Export(new ExportRequest { Id = id }, service.Call());
        await foreach (var chunk in call.ResponseStream.ReadAllAsync())
        {
            chunk.Data.WriteTo(file);
        }

        var bytes = file.ToArray();
        return Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(8 + (int)BitConverter.ToInt64(bytes))));
    }

    private long Rows(string job) => Count("states.db", "backprop_pieces WHERE job = @a", job) + Count("states.db", "backprop_contents WHERE job = @a", job);

    private long Events(string journal, string manifest) => Count("journal.db", "journal WHERE persistence_id = @a AND manifest = @b", journal, manifest);

    private long Count(string file, string what, params string[] values)
    {
        using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = Path.Combine(_folder.FullName, file), Mode = SqliteOpenMode.ReadOnly }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM {what}";
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue($"@{(char)('a' + i)}", values[i]);
        }

        return (long)command.ExecuteScalar()!;
    }

    private async Task WriteAsync(JobTableEvent change)
    {
        var system = ActorSystem.Create("writer", ConfigurationFactory.ParseString("akka { loglevel = OFF, stdout-loglevel = OFF }")
            .WithFallback(JournalPlugin.Configuration(SqliteDatabase.Open(_folder.FullName))));
        var kept = new TaskCompletionSource();
        system.ActorOf(Props.Create(() => new Writer(change, kept)));
        await kept.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await system.Terminate();
    }

    private sealed class Running(ServiceNode service) : IAsyncDisposable
    {
        public ServiceNode Service => service;

        public async ValueTask DisposeAsync() => await service.DisposeAsync();
    }

    private sealed class Writer : ReceiveActor
    {
        public Writer(JobTableEvent change, TaskCompletionSource kept)
        {
            Context.ActorOf(CoordinatorJournalActor.Props(new JournalOfCoordinator("writer", new JobTableLimits(), false)));
            Receive<CoordinatorJournalOpened>(opened => opened.Journal.Tell(new KeepChanges([change])));
            Receive<ChangesKept>(_ => kept.SetResult());
            Receive<CoordinatorJournalLost>(lost => kept.SetException(new InvalidOperationException(lost.Reason)));
        }
    }
}
