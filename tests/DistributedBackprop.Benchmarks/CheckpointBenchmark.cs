using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Benchmarks;

/// <summary>How long 200 MB of state take to and from a database, and a journal to be there and to take an event.</summary>
internal static class CheckpointBenchmark
{
    private const int Elements = 50_000_000;
    private const int Rounds = 3;

    public static async Task RunAsync(TextWriter output, string[] connection)
    {
        var folder = Directory.CreateTempSubdirectory("backprop-bench-").FullName;
        await RunAsync(output, "SQLite", SqliteDatabase.Open(folder));
        if (connection is [var text])
        {
            await RunAsync(output, "PostgreSQL", new PostgreSqlDatabase(text));
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task RunAsync(TextWriter output, string name, JobDatabase database)
    {
        await JournalAsync(output, name, database);
        var pool = new TensorPool();
        var tables = new StateTables(database);
        await tables.PrepareAsync(default);
        using var tensor = Tensor.Rent(pool, new Shape(Elements));
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < Elements; i++)
            {
                // All pieces differ, between rounds too.
                tensor.Floats[i] = BitConverter.UInt32BitsToSingle((uint)((i * 2654435761L) + round) & 0x3FFFFFFF);
            }

            var job = $"bench-{Environment.ProcessId}";
            var watch = Stopwatch.StartNew();
            var (chunks, bytes) = await tables.WriteAsync(job, round + 1, [new StateRange(new StateVector(0, 0, 0), 0, tensor)], default);
            var written = watch.Elapsed.TotalSeconds;
            watch.Restart();
            var read = await ReadAsync(tables, job, chunks, pool);
            var restored = watch.Elapsed.TotalSeconds;
            watch.Restart();
            var removed = await tables.KeepAsync(job, round + 1, [], default);
            Line(output, $"{name,-10} {bytes / 1e6:F0} MB: written {written:F2} s, read and judged {restored:F2} s ({read} pieces), {removed} removed {watch.Elapsed.TotalSeconds:F2} s");
        }
    }

    // A layout comes from a network; here one vector is enough.
    private static async Task<int> ReadAsync(StateTables tables, string job, ImmutableArray<StateChunk> chunks, TensorPool pool)
    {
        var layout = StateLayout.OfOne(new StateVector(0, 0, 0), Elements);
        var (state, damage) = await tables.ReadAsync(new LoadState(job, StateManifest.Of(layout, chunks), layout), pool, default);
        (state ?? throw new InvalidOperationException(damage)).Dispose();
        return chunks.Length;
    }

    private static async Task JournalAsync(TextWriter output, string name, JobDatabase database)
    {
        for (var round = 0; round < 2; round++)
        {
            var watch = Stopwatch.StartNew();
            var system = ActorSystem.Create("bench", ConfigurationFactory.ParseString("akka.loglevel = OFF, akka.stdout-loglevel = OFF")
                .WithFallback(JournalPlugin.Configuration(database)));
            var plain = watch.Elapsed.TotalSeconds;
            JournalPlugin.Require(system);
            var keeper = system.ActorOf(Props.Create(() => new Keeper(round)));
            await keeper.Ask<string>("ready", TimeSpan.FromMinutes(1));
            var ready = watch.Elapsed.TotalSeconds;
            watch.Restart();
            const int events = 50;
            for (var i = 1; i <= events; i++)
            {
                await keeper.Ask<string>(new JobTookOver(i), TimeSpan.FromMinutes(1));
            }

            Line(output, $"{name,-10} journal, {(round == 0 ? "first" : "again")}: actor system {plain:F2} s, recovered at {ready:F2} s, an event {watch.Elapsed.TotalMilliseconds / events:F1} ms");
            await system.Terminate();
        }
    }

    private static void Line(TextWriter output, FormattableString line) => output.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private sealed class Keeper : ReceivePersistentActor
    {
        public Keeper(int round)
        {
            PersistenceId = $"bench-{Environment.ProcessId}-{round}";
            Recover<JobTookOver>(_ => { });
            Command<string>(_ => Sender.Tell("ready"));
            Command<JobTookOver>(record => Persist(record, _ => Sender.Tell("persisted")));
        }

        public override string PersistenceId { get; }
    }
}
