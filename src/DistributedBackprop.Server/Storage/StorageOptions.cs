namespace DistributedBackprop.Server.Storage;

/// <summary>Where a node that coordinates keeps its jobs: one of the two.</summary>
/// <param name="Folder">A folder of this machine, for one process at a time; null for a database.</param>
/// <param name="Database">A database that all nodes that may coordinate share; null for a folder.</param>
public sealed record StorageOptions(string? Folder, PostgreSqlDatabase? Database);
