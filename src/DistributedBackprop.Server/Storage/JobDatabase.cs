using System.Data.Common;

namespace DistributedBackprop.Server.Storage;

/// <summary>
/// Where jobs are kept: their journals, in tables of Akka.Persistence.Sql, and the states of their layers, in tables of our
/// own (<see cref="StateTables"/>).
/// </summary>
public abstract class JobDatabase
{
    /// <summary>Where journals are, as an ADO.NET connection string.</summary>
    public abstract string JournalConnectionString { get; }

    /// <summary>What Akka.Persistence.Sql calls this kind of database.</summary>
    public abstract string ProviderName { get; }

    /// <summary>How many reads and writes of journals run at once.</summary>
    internal abstract int JournalParallelism { get; }

    /// <summary>Makes the tables of states, each where it is not there yet.</summary>
    internal abstract IReadOnlyList<string> StateSchema { get; }

    /// <summary>For people: which database it is, without passwords.</summary>
    public abstract override string ToString();

    /// <summary>A connection to the tables of states, not open yet.</summary>
    internal abstract DbConnection StateConnection();

    /// <summary>A connection to the journals, not open yet.</summary>
    internal abstract DbConnection JournalConnection();

    /// <summary>A connection to the tables of states, open.</summary>
    internal async Task<DbConnection> OpenStateAsync(CancellationToken cancellation)
    {
        var connection = StateConnection();
        try
        {
            await connection.OpenAsync(cancellation);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>A parameter that is bytes, of its own kind where that spares a copy.</summary>
    internal abstract void SetBytes(DbParameter parameter, ReadOnlyMemory<byte> content);

    /// <summary>Whether a failure says that what is stored is damaged, rather than that it cannot be had now.</summary>
    internal abstract bool IsDamage(DbException failure);
}
