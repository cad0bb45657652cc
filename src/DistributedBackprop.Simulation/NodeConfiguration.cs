using System.Collections.Concurrent;
using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace DistributedBackprop.Simulation;

/// <summary>The HOCON that puts an unmodified actor system on the loop.</summary>
internal static class NodeConfiguration
{
    private static readonly string[] _akkaDispatchers =
    [
        "akka.actor.default-dispatcher",
        "akka.actor.internal-dispatcher",
        "akka.actor.default-blocking-io-dispatcher",
    ];

    private static readonly string[] _akkaMailboxes =
    [
        "akka.actor.default-mailbox",
        "akka.actor.mailbox.unbounded-queue-based",
        "akka.actor.mailbox.unbounded-deque-based",
    ];

    private static readonly string[] _akkaDispatcherTypes =
        ["Dispatcher", "TaskDispatcher", "PinnedDispatcher", "ForkJoinDispatcher", "SynchronizedDispatcher"];

    private static readonly Config _defaults = ConfigurationFactory.ParseString(
        """
        akka.loglevel = WARNING
        akka.stdout-loglevel = WARNING
        """);

    // Parsing is most of what the start of a node costs; few different lists of dispatchers ever occur.
    private static readonly ConcurrentDictionary<string, Config> _parsed = new();

    /// <summary>The configuration of a node: what the simulation needs, above <paramref name="extra"/>, above the defaults.</summary>
    /// <param name="dispatchers">Ids of dispatchers to map to the loop.</param>
    /// <param name="extra">The caller's; the dispatchers it defines are mapped too.</param>
    public static Config Of(IEnumerable<string> dispatchers, Config? extra)
    {
        var ids = new SortedSet<string>(_akkaDispatchers.Concat(dispatchers), StringComparer.Ordinal);
        for (Config? layer = extra; layer is not null; layer = layer.Fallback)
        {
            if (layer.Root is { } root && root.IsObject())
            {
                AddDispatchers(root.GetObject(), "", ids);
            }
        }

        Config forced = _parsed.GetOrAdd(string.Join('\n', ids), static (_, all) => ConfigurationFactory.ParseString(Hocon(all)), ids);
        return extra is null ? forced.WithFallback(_defaults) : forced.WithFallback(extra).WithFallback(_defaults);
    }

    private static void AddDispatchers(HoconObject section, string path, SortedSet<string> ids)
    {
        foreach ((string key, HoconValue value) in section.Items)
        {
            if (!value.IsObject())
            {
                continue;
            }

            HoconObject child = value.GetObject();
            string childPath = path.Length == 0 ? key : $"{path}.{key}";
            bool isDispatcher = child.Items.ContainsKey("executor")
                || (child.Items.TryGetValue("type", out HoconValue? type) && _akkaDispatcherTypes.Contains(type.GetString()));
            if (isDispatcher)
            {
                ids.Add(childPath);
            }
            else
            {
                AddDispatchers(child, childPath, ids);
            }
        }
    }

    private static string Hocon(IEnumerable<string> dispatchers) => $$"""
        akka {
          loggers = ["{{Name<CapturingLogger>()}}"]
          stdout-logger-class = "{{Name<CapturingLogger>()}}"
          log-config-on-start = off
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          suppress-json-serializer-warning = on
          scheduler.implementation = "{{Name<SimulatedScheduler>()}}"
          coordinated-shutdown {
            run-by-clr-shutdown-hook = off
            run-by-actor-system-terminate = off
            terminate-actor-system = off
            exit-clr = off
          }
        }
        {{string.Join('\n', dispatchers.Select(id => $"{id} {{ type = \"{Name<SimulatedDispatcherConfigurator>()}\" }}"))}}
        {{string.Join('\n', _akkaMailboxes.Select(id => $"{id}.mailbox-type = \"{Name<SimulatedMailbox>()}\""))}}
        """;

    private static string Name<T>() => $"{typeof(T).FullName}, {typeof(T).Assembly.GetName().Name}";
}
