using DistributedBackprop.Server.Storage;
using Microsoft.Data.Sqlite;

namespace DistributedBackprop.Server.Tests.Storage;

/// <summary>The tests of storage share one server.</summary>
[CollectionDefinition(Name)]
public sealed class StorageCollection : ICollectionFixture<Databases>
{
    public const string Name = "storage";
}

/// <summary>Empty databases of both kinds; those of PostgreSQL skip the test where it is not installed.</summary>
public sealed class Databases : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("backprop-states-").FullName;
    private int _folders;

    public PostgreSqlServer Server { get; } = new();

    public string NewFolder()
    {
        var folder = Path.Combine(_folder, $"{Interlocked.Increment(ref _folders)}");
        Directory.CreateDirectory(folder);
        return folder;
    }

    public JobDatabase New(string kind) => kind switch
    {
        "SQLite" => SqliteDatabase.Open(NewFolder()),
        "PostgreSQL" => new PostgreSqlDatabase(Server.NewDatabase()),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    public void Dispose()
    {
        Server.Dispose();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }
}
