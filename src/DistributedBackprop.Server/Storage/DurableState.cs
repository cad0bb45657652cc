using Akka.Actor;
using Akka.Configuration;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Server.Storage;

/// <summary>Where the jobs of a process outlive it: a folder of its own, or a database. Its owner disposes of it last.</summary>
public sealed class DurableState : IDisposable
{
    private readonly StateLock? _lock;

    private DurableState(JobDatabase database, StateLock? held) => (Database, _lock) = (database, held);

    /// <summary>Where it is.</summary>
    public JobDatabase Database { get; }

    /// <summary>What the actor system must be configured with.</summary>
    public Config Configuration => JournalPlugin.Configuration(Database);

    /// <summary>Takes a folder for this process, and makes it where it is not there.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="StorageException">Another process has it, or it cannot be used.</exception>
    public static DurableState InFolder(string folder)
    {
        var held = StateLock.Take(folder);
        try
        {
            return new DurableState(SqliteDatabase.Open(held.Folder), held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Starts what keeps states.</summary>
    /// <param name="system">An actor system with this <see cref="Configuration"/>.</param>
    /// <param name="pool">Lends the memory of states that are loaded.</param>
    /// <exception cref="StorageException">Journals would not be kept.</exception>
    public JobStorage Start(ActorSystem system, TensorPool pool)
    {
        JournalPlugin.Require(system);
        return new JobStorage(
            system.ActorOf(CheckpointStoreActor.Props(Database, pool), CheckpointStoreActor.Name), ProgramVersion.Current);
    }

    /// <inheritdoc/>
    public void Dispose() => _lock?.Dispose();
}
