using System.Collections.Immutable;
using System.Data;
using System.Data.Common;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Server.Storage;

/// <summary>
/// The states of jobs in a database: each piece a row under its job and its hash, so that what did not change is stored once.
/// A piece's mark, the number of the last write that it belongs to, is in a table of its own, where it can change without the
/// content being written again.
/// </summary>
/// <param name="database">The database.</param>
internal sealed class StateTables(JobDatabase database)
{
    // A transaction of 16 MB: large enough that its end costs little, small enough that readers and removals get their turn.
    private const int PiecesPerTransaction = 16;

    /// <summary>Makes the tables where they are not there yet.</summary>
    public async Task PrepareAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenStateAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        foreach (var statement in database.StateSchema)
        {
            await using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = statement;
            await command.ExecuteNonQueryAsync(cancellation);
        }

        await transaction.CommitAsync(cancellation);
    }

    /// <summary>Writes ranges of a state; durable when it returns.</summary>
    /// <param name="job">Whose.</param>
    /// <param name="write">The number of the write, which marks its pieces.</param>
    /// <param name="ranges">The ranges; borrowed.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The pieces, and how many bytes were new.</returns>
    public async Task<(ImmutableArray<StateChunk> Chunks, long NewBytes)> WriteAsync(
        string job, long write, IReadOnlyList<StateRange> ranges, CancellationToken cancellation)
    {
        var chunks = ImmutableArray.CreateBuilder<StateChunk>();
        long newBytes = 0;
        await using var connection = await database.OpenStateAsync(cancellation);
        foreach (var pieces in ranges.SelectMany(PiecesOf).Chunk(PiecesPerTransaction))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            await using var rows = new PieceRows(database, connection, transaction, job);
            foreach (var (range, start, length) in pieces)
            {
                var content = range.Value.Bytes.Slice((start - range.Start) * sizeof(float), length * sizeof(float));
                var chunk = new StateChunk(range.Vector, start, length, ContentHash.Of(content.Span));
                chunks.Add(chunk);
                newBytes += await rows.PutAsync(chunk.Hash, write, content, cancellation) ? chunk.Bytes : 0;
            }

            await transaction.CommitAsync(cancellation);
        }

        return (chunks.ToImmutable(), newBytes);
    }

    /// <summary>Reads a state, judging every piece. What is damaged is removed where that is asked for.</summary>
    /// <returns>The state, which the caller owns; or what is wrong with it.</returns>
    public async Task<(TrainingState? State, string? Damage)> ReadAsync(LoadState load, TensorPool pool, CancellationToken cancellation)
    {
        var job = load.JobId;
        StoredState stored;
        try
        {
            stored = new StoredState(load.Manifest, load.Layout, pool);
        }
        catch (CheckpointException e)
        {
            return (null, e.Message);
        }

        using (stored)
        {
            await using var connection = await database.OpenStateAsync(cancellation);
            await using var rows = new PieceRows(database, connection, null, job);
            var bad = new List<ContentHash>();
            var absent = 0;
            foreach (var hash in stored.Missing.ToArray())
            {
                switch (await rows.ReadAsync(hash, stored.MemoryOf(hash), cancellation))
                {
                    case PieceFound.Whole when stored.TryAccept(hash):
                        break;
                    case PieceFound.Not:
                        absent++;
                        bad.Add(hash);
                        break;
                    default:
                        bad.Add(hash);
                        break;
                }
            }

            if (bad.Count == 0)
            {
                return (stored.Take(), null);
            }

            if (load.RemovesDamaged)
            {
                await EraseAsync(connection, job, bad, cancellation);
            }

            return (null, $"{bad.Count - absent} pieces are damaged and {absent} missing, the first is {stored.PlaceOf(bad[0])}");
        }
    }

    /// <summary>Removes what no state needs.</summary>
    /// <param name="job">Whose.</param>
    /// <param name="upToWrite">Pieces of later writes stay.</param>
    /// <param name="keep">The states whose pieces stay.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>How many pieces were removed.</returns>
    public async Task<int> KeepAsync(
        string job, long upToWrite, IEnumerable<StateManifest> keep, CancellationToken cancellation)
    {
        var needed = keep.SelectMany(manifest => manifest.Chunks).Select(chunk => chunk.Hash).ToHashSet();
        await using var connection = await database.OpenStateAsync(cancellation);
        var removed = 0;
        foreach (var hashes in (await PieceRows.WrittenAsync(connection, job, upToWrite, cancellation))
            .Where(hash => !needed.Contains(hash)).Chunk(PiecesPerTransaction))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            await using var rows = new PieceRows(database, connection, transaction, job);
            foreach (var hash in hashes)
            {
                removed += await rows.RemoveAsync(hash, upToWrite, cancellation) ? 1 : 0;
            }

            await transaction.CommitAsync(cancellation);
        }

        return removed;
    }

    /// <summary>Removes all of a job.</summary>
    public async Task RemoveAsync(string job, CancellationToken cancellation)
    {
        await using var connection = await database.OpenStateAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        foreach (var table in new[] { "backprop_contents", "backprop_pieces" })
        {
            await using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = $"DELETE FROM {table} WHERE job = @job";
            PieceRows.Add(command, "@job", DbType.String).Value = job;
            await command.ExecuteNonQueryAsync(cancellation);
        }

        await transaction.CommitAsync(cancellation);
    }

    /// <summary>Returns when both journals and states can be asked something.</summary>
    /// <exception cref="DbException">They cannot.</exception>
    public async Task ProbeAsync(CancellationToken cancellation)
    {
        foreach (var connection in new[] { database.StateConnection(), database.JournalConnection() })
        {
            await using (connection)
            {
                await connection.OpenAsync(cancellation);
                await using var command = connection.CreateCommand();
                command.CommandText = "SELECT 1";
                await command.ExecuteScalarAsync(cancellation);
            }
        }
    }

    private static IEnumerable<(StateRange Range, int Start, int Length)> PiecesOf(StateRange range) =>
        StateChunk.Cut(range.Start, range.Value.Length).Select(piece => (range, piece.Start, piece.Length));

    // Its name promises other content: it can serve nobody, and would keep the right one from being written.
    private async Task EraseAsync(DbConnection connection, string job, List<ContentHash> hashes, CancellationToken cancellation)
    {
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            await using var rows = new PieceRows(database, connection, transaction, job);
            foreach (var hash in hashes)
            {
                await rows.EraseAsync(hash, cancellation);
            }

            await transaction.CommitAsync(cancellation);
        }
        catch (DbException e) when (database.IsDamage(e))
        {
            // The file is damaged beyond its rows. The state is refused all the same.
        }
    }
}
