using DistributedBackprop.Protocol;
using Microsoft.Data.Sqlite;

namespace DistributedBackprop.Server.Tests.Grpc;

/// <summary>A service whose database has the journal of a job that nobody can read.</summary>
public sealed class DamagedJobsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("backprop-damaged-");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_job_whose_journal_is_damaged_fails_with_the_reason_and_makes_room()
    {
        await LeaveAsync("CAST(substr(message, 1, length(message) - 1) || x'00' AS BLOB)");
        var second = new ServiceNode { Folder = _folder.FullName };
        await second.InitializeAsync();
        (await second.WatchAsync("next", every: 1_000_000))[^1].Completed.ShouldNotBeNull();
        var failed = (await second.WatchAsync("long", after: 1L << 32))[^1].Failed.ShouldNotBeNull();
        failed.Reason.ShouldContain("the journal of the job cannot be read");
        failed.Reason.ShouldContain("is damaged");
        await second.Training.DeleteAsync(new DeleteRequest { Id = "long" }, second.Call());
        await second.DisposeAsync();
    }

    [Fact]
    public async Task A_job_whose_journal_the_database_does_not_give_waits_with_the_reason_and_is_cancelled()
    {
        // No bytes at all: the database complains, as it does where it is away.
        await LeaveAsync("'text'");
        var second = new ServiceNode { Folder = _folder.FullName };
        await second.InitializeAsync();
        await second.UntilAsync(
            "long", happened => happened.Waiting?.Reason.Contains("the journal of the job cannot be read", StringComparison.Ordinal) ?? false);
        await second.Training.CancelAsync(new CancelRequest { Id = "long" }, second.Call());
        (await second.WatchAsync("next", every: 1_000_000))[^1].Completed.ShouldNotBeNull();
        (await second.WatchAsync("long", after: 1L << 32))[^1].Cancelled.ShouldNotBeNull();
        await second.Training.DeleteAsync(new DeleteRequest { Id = "long" }, second.Call());
        await second.DisposeAsync();
    }

    // A job that runs and one that waits for it, of a node that is gone; the journal of the first has other rows.
    private async Task LeaveAsync(string rows)
    {
        var first = new ServiceNode { Folder = _folder.FullName };
        await first.InitializeAsync();
        await first.SubmitAsync("long", $"{ServiceNode.Xor(1_000_000)}\ncheckpoints: {{ everySteps: 5 }}");
        await first.UntilAsync("long", happened => happened.BodyCase == Event.BodyOneofCase.Checkpoint);
        await first.SubmitAsync("next", ServiceNode.Xor(2));
        await first.DisposeAsync();
        Execute($"UPDATE journal SET message = {rows} WHERE persistence_id = 'job-long.1'").ShouldBeGreaterThan(0);
    }

    private int Execute(string text)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_folder.FullName, "journal.db")}");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = text;
        return command.ExecuteNonQuery();
    }
}
