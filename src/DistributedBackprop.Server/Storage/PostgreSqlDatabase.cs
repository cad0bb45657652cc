using System.Data.Common;
using Npgsql;
using NpgsqlTypes;

namespace DistributedBackprop.Server.Storage;

/// <summary>A PostgreSQL database, for the processes of a cluster.</summary>
public sealed class PostgreSqlDatabase : JobDatabase
{
    // A database that is silent is as good as away: long beside a network, short beside a deadline.
    private const int ConnectSeconds = 5;

    private readonly NpgsqlConnectionStringBuilder _connection;

    /// <summary>Names a database; nothing is opened yet.</summary>
    /// <param name="connectionString">An Npgsql connection string, e.g. <c>Host=db;Database=backprop;Username=backprop</c>.</param>
    /// <exception cref="StorageException">It is none.</exception>
    public PostgreSqlDatabase(string connectionString)
    {
        try
        {
            _connection = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (ArgumentException e)
        {
            throw new StorageException($"the connection string of the database is not valid: {e.Message}", e);
        }

        if (string.IsNullOrEmpty(_connection.Host) || string.IsNullOrEmpty(_connection.Database))
        {
            throw new StorageException("the connection string of the database must name Host and Database");
        }

        if (!_connection.ContainsKey("Timeout"))
        {
            _connection.Timeout = ConnectSeconds;
        }
    }

    /// <inheritdoc/>
    public override string JournalConnectionString => _connection.ToString();

    /// <inheritdoc/>
    public override string ProviderName => "PostgreSQL.15";

    internal override int JournalParallelism => 4;

    // Numbers are hard to compress: without EXTERNAL the server would try it with every piece.
    internal override IReadOnlyList<string> StateSchema =>
    [
        "SELECT pg_advisory_xact_lock(4712)",
        """
        CREATE TABLE IF NOT EXISTS backprop_pieces (
          job TEXT NOT NULL, hash BYTEA NOT NULL, written BIGINT NOT NULL, PRIMARY KEY (job, hash))
        """,
        """
        CREATE TABLE IF NOT EXISTS backprop_contents (
          job TEXT NOT NULL, hash BYTEA NOT NULL, content BYTEA NOT NULL, PRIMARY KEY (job, hash))
        """,
        "ALTER TABLE backprop_contents ALTER COLUMN content SET STORAGE EXTERNAL",
    ];

    /// <inheritdoc/>
    public override string ToString() => $"database {_connection.Database} at {_connection.Host}:{_connection.Port}";

    internal override DbConnection StateConnection() => new NpgsqlConnection(_connection.ToString());

    internal override DbConnection JournalConnection() => StateConnection();

    internal override void SetBytes(DbParameter parameter, ReadOnlyMemory<byte> content)
    {
        ((NpgsqlParameter)parameter).NpgsqlDbType = NpgsqlDbType.Bytea;
        parameter.Value = content;
    }

    internal override bool IsDamage(DbException failure) =>
        failure is PostgresException { SqlState: PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted };
}
