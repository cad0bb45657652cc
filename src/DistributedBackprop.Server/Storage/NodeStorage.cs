using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Server.Storage;

/// <summary>What a node keeps its jobs in, from its start to its end.</summary>
internal sealed class NodeStorage : IDisposable
{
    private const int ProcessNameBytes = 8;

    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(500);

    private readonly StateLock? _lock;

    private NodeStorage(JobDatabase database, StateLock? held) => (Database, _lock) = (database, held);

    /// <summary>The database.</summary>
    public JobDatabase Database { get; }

    /// <summary>Takes the folder, or waits for the database: the journals' plugin never starts where it is away at first.</summary>
    /// <param name="options">Which.</param>
    /// <param name="patience">How long a database is waited for.</param>
    /// <param name="cancellation">Gives the wait up.</param>
    /// <exception cref="StorageException">It cannot be used; the message says why, and nothing of passwords.</exception>
    public static async Task<NodeStorage> OpenAsync(StorageOptions options, TimeSpan patience, CancellationToken cancellation)
    {
        if (options.Database is { } database)
        {
            await ReachAsync(database, patience, cancellation);
            return new NodeStorage(database, null);
        }

        var held = StateLock.Take(options.Folder!);
        try
        {
            return new NodeStorage(SqliteDatabase.Open(held.Folder), held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Starts what keeps states.</summary>
    /// <param name="system">An actor system with the <see cref="JournalPlugin.Configuration"/> of the database.</param>
    /// <param name="pool">Lends the memory of states that are loaded.</param>
    /// <param name="version">Of the program.</param>
    /// <param name="node">The node's name.</param>
    /// <exception cref="StorageException">Journals would not be kept.</exception>
    public JobStorage Start(ActorSystem system, TensorPool pool, string version, string node)
    {
        JournalPlugin.Require(system);
        var store = system.ActorOf(CheckpointStoreActor.Props(Database, pool), CheckpointStoreActor.Name);
        return new JobStorage(store, version, ProcessName(node));
    }

    // Names of nodes and numbers of processes are used again, in containers above all.
    private static string ProcessName(string node) => string.Create(
        CultureInfo.InvariantCulture,
        $"node '{node}' (process {Environment.ProcessId}, {RandomNumberGenerator.GetHexString(2 * ProcessNameBytes, lowercase: true)})");

    /// <summary>Gives the folder up.</summary>
    public void Dispose() => _lock?.Dispose();

    private static async Task ReachAsync(JobDatabase database, TimeSpan patience, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(patience);
        var why = "it does not answer";
        try
        {
            while (true)
            {
                try
                {
                    await new StateTables(database).ProbeAsync(deadline.Token);
                    return;
                }
                catch (DbException e)
                {
                    why = e.Message;
                }

                await Task.Delay(_again, deadline.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new StorageException(FormattableString.Invariant($"{database} cannot be reached within {patience.TotalSeconds} s: {why}"));
        }
    }
}
