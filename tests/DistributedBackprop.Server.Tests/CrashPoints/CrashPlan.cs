using System.Collections.Concurrent;
using Akka.Configuration;
using DistributedBackprop.Server.Storage;

namespace DistributedBackprop.Server.Tests.CrashPoints;

/// <summary>
/// When a process dies, as far as what it leaves behind can tell: before or after one of its writes. From then on nothing
/// that it writes is written, and nobody is answered.
/// </summary>
/// <param name="points">How many points it lives through.</param>
internal sealed class CrashPlan(int points = int.MaxValue)
{
    private static readonly ConcurrentDictionary<string, CrashPlan> _plans = new();

    private readonly TaskCompletionSource _crashed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, long> _readFrom = new(StringComparer.Ordinal);
    private int _left = points;
    private int _passed;

    /// <summary>Completes when it has died.</summary>
    public Task Crashed => _crashed.Task;

    /// <summary>Points that it has lived through.</summary>
    public int Passed => _passed;

    /// <summary>From which event on a journal was read last; 0 where it was not.</summary>
    public long ReadFrom(string journal) => _readFrom.GetValueOrDefault(journal);

    /// <summary>The same of a job's journal.</summary>
    public long ReadFromOf(string job) => _readFrom.Where(read => read.Key.StartsWith($"job-{job}.", StringComparison.Ordinal))
        .Select(read => read.Value).DefaultIfEmpty().Max();

    /// <summary>The plan of an actor system.</summary>
    public static CrashPlan Of(string system) => _plans[system];

    /// <summary>The configuration of a process that keeps its journals in a database, and dies as planned.</summary>
    /// <param name="database">The database.</param>
    public static Config Configuration(JobDatabase database) => ConfigurationFactory.ParseString($$"""
        akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }
        akka.persistence {
          journal.plugin = "akka.persistence.journal.crashing"
          journal.crashing.class = "{{NameOf<CrashingJournal>()}}"
          snapshot-store.plugin = "akka.persistence.snapshot-store.crashing"
          snapshot-store.crashing.class = "{{NameOf<CrashingSummaries>()}}"
          snapshot-store.crashing.snapshot-is-optional = true
        }
        """).WithFallback(JournalPlugin.Configuration(database));

    /// <summary>Makes this the plan of an actor system.</summary>
    public void Rule(string system) => _plans[system] = this;

    /// <summary>The actor system is gone.</summary>
    public static void Forget(string system) => _plans.TryRemove(system, out _);

    /// <summary>A journal is read.</summary>
    public void OnRead(string journal, long from) => _readFrom[journal] = from;

    /// <summary>A point is reached. Returns whether the process lives on.</summary>
    public bool Passes()
    {
        if (Interlocked.Decrement(ref _left) < 0)
        {
            _crashed.TrySetResult();
            return false;
        }

        Interlocked.Increment(ref _passed);
        return true;
    }

    private static string NameOf<T>() => $"{typeof(T).FullName}, {typeof(T).Assembly.GetName().Name}";
}
