using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Sql;
using DistributedBackprop.Actors.Journal;

namespace DistributedBackprop.Server.Storage;

/// <summary>The configuration of Akka.Persistence.Sql for a <see cref="JobDatabase"/>.</summary>
public static class JournalPlugin
{
    private const string Journal = "akka.persistence.journal.sql";
    private const string Snapshots = "akka.persistence.snapshot-store.sql";

    /// <summary>What the configuration of an actor system needs to keep journals.</summary>
    /// <param name="database">Where.</param>
    public static Config Configuration(JobDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        var connection = Quoted(database.JournalConnectionString);
        return ConfigurationFactory.ParseString($$"""
            akka.persistence {
              journal {
                plugin = "{{Journal}}"
                sql {
                  class = "Akka.Persistence.Sql.Journal.SqlWriteJournal, Akka.Persistence.Sql"
                  connection-string = {{connection}}
                  provider-name = "{{database.ProviderName}}"
                  auto-initialize = true
                  use-writer-uuid-column = true
                  parallelism = {{database.JournalParallelism}}
                  # Two writers of one journal are an error to be heard of, never to be repaired by guessing.
                  replay-filter.mode = fail
                }
              }
              snapshot-store {
                plugin = "{{Snapshots}}"
                sql {
                  class = "Akka.Persistence.Sql.Snapshot.SqlSnapshotStore, Akka.Persistence.Sql"
                  connection-string = {{connection}}
                  provider-name = "{{database.ProviderName}}"
                  auto-initialize = true

                  # The events before a summary stay: one that is damaged is done without.
                  snapshot-is-optional = true
                }
              }
            }
            """)
            .WithFallback(ConfigurationFactory.ParseString(JournalSerializer.Hocon))
            .WithFallback(SqlPersistence.DefaultConfiguration);
    }

    /// <summary>
    /// Asserts that journals are kept in a database. A configuration in which the plugin was forgotten keeps them in memory
    /// and says nothing.
    /// </summary>
    /// <param name="system">The actor system.</param>
    /// <exception cref="StorageException">They are not.</exception>
    public static void Require(ActorSystem system)
    {
        ArgumentNullException.ThrowIfNull(system);
        var config = system.Settings.Config;
        Require(config, "akka.persistence.journal.plugin", Journal);
        Require(config, "akka.persistence.snapshot-store.plugin", Snapshots);
        Require(config, $"{Journal}.use-writer-uuid-column", "true");
        Require(config, $"{Journal}.replay-filter.mode", "fail");
        var serializer = system.Serialization.FindSerializerForType(typeof(JobTookOver));
        if (serializer is not JournalSerializer)
        {
            throw new StorageException(
                $"events must be written by {nameof(JournalSerializer)} (is {serializer.GetType().Name}): "
                + $"{nameof(JournalPlugin)}.{nameof(Configuration)} is not part of the configuration");
        }

        // Starts the plugin: what is wrong with it is heard of now, not at the first event.
        _ = Persistence.Instance.Apply(system).JournalFor(Journal);
    }

    private static void Require(Config config, string path, string value)
    {
        var was = config.GetString(path, "");
        if (!string.Equals(was, value, StringComparison.Ordinal))
        {
            throw new StorageException(
                $"{path} must be {value} (was '{was}'): {nameof(JournalPlugin)}.{nameof(Configuration)} is not part of the "
                + "configuration, and journals would not be kept");
        }
    }

    private static string Quoted(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
