using System.Data;
using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Server.Tests.Storage;

/// <summary>What a store has taken comes back as it was, or is refused; never anything else.</summary>
[Collection(StorageCollection.Name)]
public sealed class CheckpointStoreTests(Databases databases) : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly ActorSystem _system = ActorSystem.Create("store", "akka.loglevel = WARNING");
    private readonly TensorPool _pool = new();

    public void Dispose() => _system.Terminate().Wait(_patience);

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task A_state_comes_back_in_every_bit_and_nobody_keeps_its_memory(string kind)
    {
        var store = StoreIn(databases.New(kind));
        // 300,000 elements: more than a piece.
        var layout = States.Layout(100_000);
        using var state = States.Fill(layout, _pool, seed: 1);
        var manifest = await WriteAsync(store, "job", 1, state);
        manifest.Chunks.ShouldContain(chunk => chunk.Start > 0);
        using (var read = await LoadAsync(store, "job", manifest, layout))
        {
            States.ShouldBeSame(read, state);
        }

        _pool.Outstanding.ShouldBe(layout.Vectors.Count());
    }

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task What_did_not_change_is_not_written_again(string kind)
    {
        var store = StoreIn(databases.New(kind));
        var layout = States.PlainLayout(1000, 700);
        using var state = States.Fill(layout, _pool, seed: 1);
        var first = await AskAsync<StateWritten>(store, new WriteState("job", 1, [.. StateRange.AllOf(state)]));
        first.NewBytes.ShouldBe(layout.Elements * 4);

        // One vector is another.
        var changed = layout.Vectors.First();
        state[changed].Floats[^1] += 1;
        var second = await AskAsync<StateWritten>(store, new WriteState("job", 2, [.. StateRange.AllOf(state)]));
        second.NewBytes.ShouldBe(layout.LengthOf(changed) * 4);
        (await AskAsync<StateWritten>(store, new WriteState("other", 1, [.. StateRange.AllOf(state)]))).NewBytes
            .ShouldBe(layout.Elements * 4, "another job's state is its own: it is deleted with it");
    }

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task Nodes_write_the_parts_that_they_have(string kind)
    {
        var store = StoreIn(databases.New(kind));
        var layout = States.PlainLayout(200_000);
        using var state = States.Fill(layout, _pool, seed: 1);
        var chunks = new List<StateChunk>();
        foreach (var vector in layout.Vectors.Reverse())
        {
            // Cut anywhere: not at a multiple of what a piece is cut at.
            var length = layout.LengthOf(vector);
            var cut = length / 3;
            foreach (var (start, count) in new[] { (cut, length - cut), (0, cut) }.Where(range => range.Item2 > 0))
            {
                var range = new StateRange(vector, start, state[vector].Share(start, new Shape(count)));
                chunks.AddRange((await AskAsync<StateWritten>(store, new WriteState("job", 1, [range]))).Chunks);
            }
        }

        using var read = await LoadAsync(store, "job", StateManifest.Of(layout, chunks), layout);
        States.ShouldBeSame(read, state);
        Should.Throw<CheckpointException>(() => StateManifest.Of(layout, chunks.SkipLast(1)));
    }

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task Removal_spares_what_is_needed_and_what_is_still_being_written(string kind)
    {
        var database = databases.New(kind);
        var store = StoreIn(database);
        var layout = States.PlainLayout(300);
        var manifests = new List<StateManifest>();
        for (var write = 1; write <= 4; write++)
        {
            using var state = States.Fill(layout, _pool, seed: (ulong)write);
            manifests.Add(await WriteAsync(store, "job", write, state));
        }

        // 3 is committed, 1 is not needed any more, 4 is on its way.
        var kept = await AskAsync<StatesKept>(store, new KeepStates("job", 3, [manifests[1], manifests[2]]));
        kept.Removed.ShouldBe(manifests[0].Chunks.Length);
        foreach (var manifest in manifests[1..])
        {
            (await LoadAsync(store, "job", manifest, layout)).Dispose();
        }

        (await AskAsync<StateDamaged>(store, new LoadState("job", manifests[0], layout))).Reason
            .ShouldStartWith($"0 pieces are damaged and {manifests[0].Chunks.Length} missing, the first is elements 0 … ");

        (await AskAsync<StatesKept>(store, new KeepStates("job", 4, [manifests[3]]))).Removed
            .ShouldBe(2 * manifests[0].Chunks.Length);
        (await LoadAsync(store, "job", manifests[3], layout)).Dispose();
        Count(database).ShouldBe(manifests[3].Chunks.Length);
    }

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task A_piece_that_a_later_write_needs_again_is_spared(string kind)
    {
        var store = StoreIn(databases.New(kind));
        var layout = States.PlainLayout(300);
        using var state = States.Fill(layout, _pool, seed: 1);
        var manifest = await WriteAsync(store, "job", 1, state);
        (await WriteAsync(store, "job", 2, state)).ShouldBe(manifest);

        // An older write that is late takes the mark back to nothing.
        (await WriteAsync(store, "job", 1, state)).ShouldBe(manifest);
        (await AskAsync<StatesKept>(store, new KeepStates("job", 1, []))).Removed.ShouldBe(0);
        (await LoadAsync(store, "job", manifest, layout)).Dispose();
    }

    [SkippableTheory]
    [InlineData("SQLite")]
    [InlineData("PostgreSQL")]
    public async Task A_deleted_job_leaves_nothing_and_takes_nothing_of_others(string kind)
    {
        var database = databases.New(kind);
        var store = StoreIn(database);
        var layout = States.PlainLayout(300);
        using var state = States.Fill(layout, _pool, seed: 1);
        var manifest = await WriteAsync(store, "job", 1, state);
        _ = await WriteAsync(store, "other", 1, state);
        _ = await AskAsync<StatesRemoved>(store, new RemoveStates("job"));
        (await LoadAsync(store, "other", manifest, layout)).Dispose();
        _ = await AskAsync<StateDamaged>(store, new LoadState("job", manifest, layout));
        _ = await AskAsync<StatesRemoved>(store, new RemoveStates("other"));
        Count(database).ShouldBe(0);
    }

    [SkippableTheory]
    [InlineData("SQLite", "UPDATE backprop_contents SET content = zeroblob(length(content)) WHERE hash = @hash", "1 pieces are damaged and 0 missing")]
    [InlineData("PostgreSQL", "UPDATE backprop_contents SET content = set_byte(content, 17, 255 - get_byte(content, 17)) WHERE hash = @hash", "1 pieces are damaged and 0 missing")]
    [InlineData("SQLite", "UPDATE backprop_contents SET content = substr(content, 1, 40) WHERE hash = @hash", "1 pieces are damaged and 0 missing")]
    [InlineData("PostgreSQL", "UPDATE backprop_contents SET content = substr(content, 1, 40) WHERE hash = @hash", "1 pieces are damaged and 0 missing")]
    [InlineData("SQLite", "UPDATE backprop_contents SET content = content || x'00' WHERE hash = @hash", "1 pieces are damaged and 0 missing")]
    [InlineData("SQLite", "DELETE FROM backprop_contents WHERE hash = @hash", "0 pieces are damaged and 1 missing")]
    [InlineData("PostgreSQL", "DELETE FROM backprop_contents WHERE hash = @hash", "0 pieces are damaged and 1 missing")]
    [InlineData("SQLite", "UPDATE backprop_contents SET content = (SELECT content FROM backprop_contents WHERE hash <> @hash LIMIT 1) WHERE hash = @hash", "1 pieces are damaged and 0 missing")]
    public async Task A_damaged_piece_is_found_named_and_written_anew(string kind, string damage, string words)
    {
        var database = databases.New(kind);
        var store = StoreIn(database);
        var layout = States.PlainLayout(300, 40);
        using var state = States.Fill(layout, _pool, seed: 1);
        var manifest = await WriteAsync(store, "job", 1, state);
        var piece = manifest.Chunks[1];
        Execute(database, damage, piece.Hash);
        var damaged = await AskAsync<StateDamaged>(store, new LoadState("job", manifest, layout));
        damaged.Reason.ShouldStartWith(words);
        damaged.Reason.ShouldEndWith($"the first is {piece}");
        _pool.Outstanding.ShouldBe(layout.Vectors.Count(), "what was read before the damage is given up");

        // A job that goes on from the checkpoint before comes to the same state again.
        (await WriteAsync(store, "job", 2, state)).ShouldBe(manifest);
        using var read = await LoadAsync(store, "job", manifest, layout);
        States.ShouldBeSame(read, state);
    }

    [Fact]
    public async Task A_file_that_is_damaged_anywhere_gives_no_wrong_state()
    {
        var layout = States.PlainLayout(30_000);
        using var state = States.Fill(layout, _pool, seed: 1);
        var refused = 0;
        for (var page = 0; page < 12; page++)
        {
            var folder = databases.NewFolder();
            StateManifest manifest;
            var store = StoreIn(SqliteDatabase.Open(folder));
            manifest = await WriteAsync(store, "job", 1, state);
            await store.GracefulStop(_patience);
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            using (var file = new FileStream(Path.Combine(folder, "states.db"), FileMode.Open))
            {
                file.Position = (page * 65_536) + 100;
                file.Write(Enumerable.Repeat((byte)0xA5, 3000).ToArray());
            }

            var answer = await StoreIn(SqliteDatabaseOrNone(folder)).Ask<object>(new LoadState("job", manifest, layout), _patience);
            if (answer is StateLoaded loaded)
            {
                States.ShouldBeSame(loaded.State, state);
                loaded.State.Dispose();
            }
            else
            {
                answer.ShouldBeOfType(answer is StoreFailed ? typeof(StoreFailed) : typeof(StateDamaged));
                refused++;
            }
        }

        refused.ShouldBeGreaterThan(4);
    }

    [SkippableFact]
    public async Task A_database_that_is_away_is_said_to_be_and_serves_again_when_it_is_back()
    {
        var store = StoreIn(databases.New("PostgreSQL"));
        var layout = States.PlainLayout(300);
        using var state = States.Fill(layout, _pool, seed: 1);
        _ = await AskAsync<StoreAnswers>(store, new ProbeStore("test"));
        databases.Server.Restart(whileItIsAway: () =>
        {
            AskAsync<StoreFailed>(store, new ProbeStore("test")).Result.Reason.ShouldNotBeEmpty();
            var write = new WriteState("job", 1, [.. StateRange.AllOf(state)]);
            AskAsync<StoreFailed>(store, write).Result.Request.ShouldBeSameAs(write);
        });
        _ = await AskAsync<StoreAnswers>(store, new ProbeStore("test"));
        var manifest = await WriteAsync(store, "job", 1, state);
        (await LoadAsync(store, "job", manifest, layout)).Dispose();
        _pool.Outstanding.ShouldBe(layout.Vectors.Count());
    }

    [Fact]
    public async Task A_state_of_another_job_is_refused_before_memory_is_taken()
    {
        var store = StoreIn(databases.New("SQLite"));
        var layout = States.PlainLayout(300);
        using var state = States.Fill(layout, _pool, seed: 1);
        var manifest = await WriteAsync(store, "job", 1, state);
        var bytes = _pool.AllocatedBytes;
        (await AskAsync<StateDamaged>(store, new LoadState("job", manifest, States.PlainLayout(301)))).Reason
            .ShouldStartWith("the state is of another job: its layout must be ");
        _pool.AllocatedBytes.ShouldBe(bytes);
    }

    private IActorRef StoreIn(JobDatabase database) => _system.ActorOf(CheckpointStoreActor.Props(database, _pool));

    private static JobDatabase SqliteDatabaseOrNone(string folder)
    {
        try
        {
            return SqliteDatabase.Open(folder);
        }
        catch (StorageException)
        {
            // Refused at the door: then nothing is loaded at all. Any store says so.
            return new PostgreSqlDatabase("Host=127.0.0.1;Port=1;Database=none;Username=none");
        }
    }

    private static async Task<StateManifest> WriteAsync(IActorRef store, string job, long write, TrainingState state)
    {
        var written = await AskAsync<StateWritten>(store, new WriteState(job, write, [.. StateRange.AllOf(state)]));
        return StateManifest.Of(state.Layout, written.Chunks);
    }

    private static async Task<TrainingState> LoadAsync(IActorRef store, string job, StateManifest manifest, StateLayout layout) =>
        (await AskAsync<StateLoaded>(store, new LoadState(job, manifest, layout))).State;

    private static async Task<T> AskAsync<T>(IActorRef store, IStoreRequest request)
    {
        var answer = await store.Ask<object>(request, _patience);
        return answer is T expected ? expected : throw new InvalidOperationException($"{request} was answered by {answer}");
    }

    private static long Count(JobDatabase database)
    {
        using var connection = database.StateConnection();
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT (SELECT COUNT(*) FROM backprop_pieces) + (SELECT COUNT(*) FROM backprop_contents)";
        return Convert.ToInt64(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture) / 2;
    }

    private static void Execute(JobDatabase database, string text, ContentHash hash)
    {
        using var connection = database.StateConnection();
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = text;
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.DbType, parameter.Value) = ("@hash", DbType.Binary, hash.ToBytes());
        command.Parameters.Add(parameter);
        command.ExecuteNonQuery().ShouldBe(1);
    }
}
