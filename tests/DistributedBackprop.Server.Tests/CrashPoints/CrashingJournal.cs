using System.Collections.Immutable;
using Akka.Persistence;
using Akka.Persistence.Journal;

namespace DistributedBackprop.Server.Tests.CrashPoints;

/// <summary>A journal that outlives actor systems, and whose process dies as planned. Made by Akka.</summary>
public sealed class CrashingJournal : SharedMemoryJournal
{
    private readonly CrashPlan _plan = CrashPlan.Of(Context.System.Name);

    /// <summary>The settings that name it.</summary>
    public static string Hocon { get; } = $$"""
        akka.persistence.journal {
          plugin = "akka.persistence.journal.crashing"
          crashing {
            class = "{{typeof(CrashingJournal).FullName}}, {{typeof(CrashingJournal).Assembly.GetName().Name}}"
            plugin-dispatcher = "akka.actor.default-dispatcher"
          }
        }
        """;

    /// <inheritdoc/>
    protected override async Task<IImmutableList<Exception>> WriteMessagesAsync(
        IEnumerable<AtomicWrite> messages, CancellationToken cancellationToken)
    {
        await PassAsync();
        var failures = await base.WriteMessagesAsync(messages, cancellationToken);
        await PassAsync();
        return failures;
    }

    private Task PassAsync() => _plan.Passes() ? Task.CompletedTask : new TaskCompletionSource().Task;
}
