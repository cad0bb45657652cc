using Microsoft.Extensions.Configuration;

namespace DistributedBackprop.Server.Storage;

/// <summary>Reads where a node keeps its jobs from its configuration; a connection string is never part of a message.</summary>
/// <param name="section">The node's settings.</param>
/// <param name="error">Is told what is wrong: the setting, and what it must be.</param>
internal sealed class StorageSettings(IConfigurationSection section, Action<string, string> error)
{
    /// <summary>Where; null where jobs are kept in memory, or something is wrong.</summary>
    /// <param name="isCoordinator">Whether the node may coordinate.</param>
    public StorageOptions? Read(bool isCoordinator)
    {
        var folder = section["State"];
        var connection = section["Database"];
        if (folder is null && connection is null)
        {
            return null;
        }

        if (folder is not null && connection is not null)
        {
            error("State", "and Database must not both be given");
        }
        else if (!isCoordinator)
        {
            error(folder is null ? "Database" : "State", "is for nodes that may coordinate: Roles must contain coordinator");
        }
        else if (folder is { Length: 0 })
        {
            error("State", "must name a folder");
        }
        else
        {
            return folder is not null ? new StorageOptions(folder, null) : Database(connection!);
        }

        return null;
    }

    private StorageOptions? Database(string connection)
    {
        try
        {
            return new StorageOptions(null, new PostgreSqlDatabase(connection));
        }
        catch (StorageException)
        {
            // Its message could quote a part of the text, and with it the password.
            error("Database", "must be a connection string of PostgreSQL that names Host and Database (Npgsql's form: Host=...;Database=...;Username=...)");
            return null;
        }
    }
}
