using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace DistributedBackprop.Server.Storage;

/// <summary>
/// SQLite files in a folder, for one process at a time (<see cref="StateLock"/> sees to it): journals in one, states in
/// another, so that an event never waits for a checkpoint to be written.
/// </summary>
public sealed class SqliteDatabase : JobDatabase
{
    // SQLite says "busy" at once otherwise.
    private const int BusySeconds = 30;

    // Of what is written once and read whole, large pages keep fewer.
    private const int StatePageBytes = 65_536;

    private readonly string _journal;
    private readonly string _states;

    private SqliteDatabase(string folder)
    {
        _journal = Path.Combine(folder, "journal.db");
        _states = Path.Combine(folder, "states.db");
    }

    /// <inheritdoc/>
    public override string JournalConnectionString => ConnectionString(_journal);

    /// <inheritdoc/>
    public override string ProviderName => "SQLite.MS";

    internal override int JournalParallelism => 1;

    internal override IReadOnlyList<string> StateSchema =>
    [
        """
        CREATE TABLE IF NOT EXISTS backprop_pieces (
          job TEXT NOT NULL, hash BLOB NOT NULL, written INTEGER NOT NULL, PRIMARY KEY (job, hash)) WITHOUT ROWID
        """,
        "CREATE TABLE IF NOT EXISTS backprop_contents (job TEXT NOT NULL, hash BLOB NOT NULL, content BLOB NOT NULL, UNIQUE (job, hash))",
    ];

    /// <summary>Opens the files of a folder, or makes them.</summary>
    /// <param name="folder">The folder, which is there.</param>
    /// <exception cref="StorageException">A file is there and is no database, or cannot be written.</exception>
    public static SqliteDatabase Open(string folder)
    {
        var database = new SqliteDatabase(folder);
        Prepare(database._journal, null);
        Prepare(database._states, StatePageBytes);
        return database;
    }

    /// <inheritdoc/>
    public override string ToString() => Path.GetDirectoryName(_journal)!;

    internal override DbConnection StateConnection() => new SqliteConnection(ConnectionString(_states));

    internal override DbConnection JournalConnection() => new SqliteConnection(JournalConnectionString);

    internal override void SetBytes(DbParameter parameter, ReadOnlyMemory<byte> content)
    {
        parameter.DbType = System.Data.DbType.Binary;
        parameter.Value = content;
    }

    internal override bool IsDamage(DbException failure) =>
        failure is SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB };

    private static string ConnectionString(string file) =>
        new SqliteConnectionStringBuilder { DataSource = file, DefaultTimeout = BusySeconds }.ToString();

    // Write-ahead: readers and the one writer do not wait for each other. It stays with the file. SQLite's own default,
    // synchronous = FULL, makes a commit durable.
    private static void Prepare(string file, int? pageBytes)
    {
        try
        {
            using var connection = new SqliteConnection(ConnectionString(file));
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = string.Create(
                CultureInfo.InvariantCulture,
                $"{(pageBytes is { } bytes ? $"PRAGMA page_size = {bytes}; " : "")}PRAGMA journal_mode = WAL; PRAGMA user_version");
            _ = command.ExecuteScalar();
        }
        catch (SqliteException e)
        {
            throw new StorageException($"{file} cannot be opened as a SQLite database: {e.Message}", e);
        }
    }
}
