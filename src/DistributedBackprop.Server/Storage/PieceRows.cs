using System.Data;
using System.Data.Common;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Server.Storage;

/// <summary>What was found of a piece.</summary>
internal enum PieceFound
{
    /// <summary>Nothing.</summary>
    Not,

    /// <summary>Something that cannot be read, or has another length.</summary>
    Damaged,

    /// <summary>All its bytes.</summary>
    Whole,
}

/// <summary>The rows of a job's pieces, by statements that are prepared once for many pieces.</summary>
internal sealed class PieceRows : IAsyncDisposable
{
    private const string RemoveContent = "DELETE FROM backprop_contents WHERE job = @job AND hash = @hash";

    private readonly JobDatabase _database;
    private readonly DbConnection _connection;
    private readonly DbTransaction? _transaction;
    private readonly string _job;
    private readonly Dictionary<string, DbCommand> _commands = [];

    /// <param name="database">The database.</param>
    /// <param name="connection">Open; borrowed.</param>
    /// <param name="transaction">What is done is part of it; null for none.</param>
    /// <param name="job">Whose pieces.</param>
    public PieceRows(JobDatabase database, DbConnection connection, DbTransaction? transaction, string job) =>
        (_database, _connection, _transaction, _job) = (database, connection, transaction, job);

    /// <summary>The pieces of a job whose last write is one of these.</summary>
    public static async Task<List<ContentHash>> WrittenAsync(
        DbConnection connection, string job, long upToWrite, CancellationToken cancellation)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT hash FROM backprop_pieces WHERE job = @job AND written <= @write";
        Add(command, "@job", DbType.String).Value = job;
        Add(command, "@write", DbType.Int64).Value = upToWrite;
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var hashes = new List<ContentHash>();
        while (await reader.ReadAsync(cancellation))
        {
            var bytes = reader.GetFieldValue<byte[]>(0);
            if (bytes.Length == ContentHash.Size)
            {
                hashes.Add(ContentHash.FromBytes(bytes));
            }
        }

        return hashes;
    }

    /// <summary>Adds a parameter to a command.</summary>
    public static DbParameter Add(DbCommand command, string name, DbType type)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.DbType) = (name, type);
        command.Parameters.Add(parameter);
        return parameter;
    }

    /// <summary>Marks a piece, and writes it where it is not there.</summary>
    /// <returns>Whether it was not.</returns>
    public async Task<bool> PutAsync(ContentHash hash, long write, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        // A mark never goes back: an older write that is late must not take a piece from a newer one.
        var mark = Command(
            "UPDATE backprop_pieces SET written = CASE WHEN written < @write THEN @write ELSE written END "
            + "WHERE job = @job AND hash = @hash",
            hash);
        mark.Parameters["@write"].Value = write;
        if (await mark.ExecuteNonQueryAsync(cancellation) > 0)
        {
            return false;
        }

        var piece = Command("INSERT INTO backprop_pieces (job, hash, written) VALUES (@job, @hash, @write)", hash);
        piece.Parameters["@write"].Value = write;
        await piece.ExecuteNonQueryAsync(cancellation);
        var row = Command("INSERT INTO backprop_contents (job, hash, content) VALUES (@job, @hash, @content)", hash);
        _database.SetBytes(row.Parameters["@content"], content);
        await row.ExecuteNonQueryAsync(cancellation);
        return true;
    }

    /// <summary>Reads a piece into memory of exactly its bytes.</summary>
    public async Task<PieceFound> ReadAsync(ContentHash hash, Memory<byte> target, CancellationToken cancellation)
    {
        // The row's number lets SQLite read the content in place.
        var command = Command(
            _connection is Microsoft.Data.Sqlite.SqliteConnection
                ? "SELECT content, rowid FROM backprop_contents WHERE job = @job AND hash = @hash"
                : "SELECT content FROM backprop_contents WHERE job = @job AND hash = @hash",
            hash);
        try
        {
            await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellation);
            if (!await reader.ReadAsync(cancellation))
            {
                return PieceFound.Not;
            }

            await using var content = reader.GetStream(0);
            var read = await content.ReadAtLeastAsync(target, target.Length, throwOnEndOfStream: false, cancellation);
            return read == target.Length && await content.ReadAsync(new byte[1], cancellation) == 0
                ? PieceFound.Whole
                : PieceFound.Damaged;
        }
        catch (DbException e) when (_database.IsDamage(e))
        {
            return PieceFound.Damaged;
        }
    }

    /// <summary>Removes a piece, unless a later write has marked it.</summary>
    /// <returns>Whether it was removed.</returns>
    public async Task<bool> RemoveAsync(ContentHash hash, long upToWrite, CancellationToken cancellation)
    {
        var mark = Command("DELETE FROM backprop_pieces WHERE job = @job AND hash = @hash AND written <= @write", hash);
        mark.Parameters["@write"].Value = upToWrite;
        if (await mark.ExecuteNonQueryAsync(cancellation) == 0)
        {
            return false;
        }

        await Command(RemoveContent, hash).ExecuteNonQueryAsync(cancellation);
        return true;
    }

    /// <summary>Removes whatever there is of a piece.</summary>
    public async Task EraseAsync(ContentHash hash, CancellationToken cancellation)
    {
        await Command("DELETE FROM backprop_pieces WHERE job = @job AND hash = @hash", hash).ExecuteNonQueryAsync(cancellation);
        await Command(RemoveContent, hash).ExecuteNonQueryAsync(cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var command in _commands.Values)
        {
            await command.DisposeAsync();
        }
    }

    private DbCommand Command(string text, ContentHash hash)
    {
        if (!_commands.TryGetValue(text, out var command))
        {
            command = _connection.CreateCommand();
            (command.CommandText, command.Transaction) = (text, _transaction);
            Add(command, "@job", DbType.String).Value = _job;
            Add(command, "@hash", DbType.Binary);
            if (text.Contains("@write", StringComparison.Ordinal))
            {
                Add(command, "@write", DbType.Int64);
            }

            if (text.Contains("@content", StringComparison.Ordinal))
            {
                Add(command, "@content", DbType.Binary);
            }

            _commands.Add(text, command);
        }

        command.Parameters["@hash"].Value = hash.ToBytes();
        return command;
    }
}
