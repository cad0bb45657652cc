using DistributedBackprop.Server.Storage;

namespace DistributedBackprop.Server.Tests.Storage;

/// <summary>A folder of state is one process's.</summary>
[Collection(StorageCollection.Name)]
public sealed class StateLockTests(Databases databases)
{
    [Fact]
    public void A_second_one_is_refused_and_told_who_has_it()
    {
        var folder = databases.NewFolder();
        using (StateLock.Take(folder))
        {
            Should.Throw<StorageException>(() => StateLock.Take(folder)).Message
                .ShouldBe($"{folder} is in use by process {Environment.ProcessId}: one process at a time may keep its state there");
        }

        StateLock.Take(folder).Dispose();
    }

    [Fact]
    public void What_a_process_that_died_left_behind_locks_nothing()
    {
        var folder = databases.NewFolder();
        File.WriteAllText(Path.Combine(folder, "lock"), "");
        File.WriteAllText(Path.Combine(folder, "lock.holder"), "1");
        StateLock.Take(folder).Dispose();
    }

    [Fact]
    public void A_file_in_the_place_of_the_folder_is_said_to_be_there()
    {
        var file = Path.Combine(databases.NewFolder(), "file");
        File.WriteAllText(file, "");
        Should.Throw<StorageException>(() => StateLock.Take(file)).Message
            .ShouldStartWith($"{file} cannot be used to keep state: ");
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused_with_its_name()
    {
        var folder = databases.NewFolder();
        var file = Path.Combine(folder, "journal.db");
        File.WriteAllBytes(file, [.. Enumerable.Repeat((byte)7, 4096)]);
        Should.Throw<StorageException>(() => SqliteDatabase.Open(folder)).Message
            .ShouldStartWith($"{file} cannot be opened as a SQLite database: ");
    }

    [Theory]
    [InlineData("no connection string at all")]
    [InlineData("Host=db")]
    [InlineData("Nonsense=1;Host=db;Database=d")]
    public void A_connection_string_that_is_none_is_refused(string text) =>
        Should.Throw<StorageException>(() => new PostgreSqlDatabase(text)).Message
            .ShouldStartWith("the connection string of the database ");

    [Fact]
    public void A_password_is_not_told() =>
        new PostgreSqlDatabase("Host=db;Database=d;Username=u;Password=secret").ToString().ShouldBe("database d at db:5432");
}
