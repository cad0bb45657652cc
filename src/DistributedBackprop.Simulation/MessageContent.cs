using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Text;
using Akka.Actor;
using Akka.Dispatch.SysMsg;

namespace DistributedBackprop.Simulation;

/// <summary>The part of a message that enters the trace besides its type.</summary>
public static class MessageContent
{
    private static readonly ConcurrentDictionary<Type, bool> _records = new();

    /// <summary>
    /// The content of <paramref name="message"/> if it offers one: text, numbers, enumerations, records (what they print),
    /// <see cref="ITracedContent"/>, and Akka's own timers and deaths. Null for everything else, whose
    /// <see cref="object.ToString"/> may print what differs between processes.
    /// </summary>
    public static string? Of(object message) => message switch
    {
        null => null,
        string text => text,
        ITracedContent traced => traced.TracedContent,
        Terminated death => TracedPath.Of(death.ActorRef),
        IWrappedMessage wrapped => $"{wrapped.Message?.GetType()} {(wrapped.Message is null ? null : Of(wrapped.Message))}",
        Enum or decimal => message.ToString(),
        IConvertible number when message.GetType().IsPrimitive => number.ToString(CultureInfo.InvariantCulture),
        _ => _records.GetOrAdd(message.GetType(), IsRecord) ? message.ToString() : null,
    };

    /// <summary>What of a system message enters the trace besides its type: the actors it is about.</summary>
    internal static string? OfSystem(ISystemMessage message) => message switch
    {
        Failed failed => $"{TracedPath.Of(failed.Child)} {failed.Cause?.GetType()}",
        Watch watch => $"{TracedPath.Of(watch.Watchee)} {TracedPath.Of(watch.Watcher)}",
        Unwatch unwatch => $"{TracedPath.Of(unwatch.Watchee)} {TracedPath.Of(unwatch.Watcher)}",
        DeathWatchNotification death => TracedPath.Of(death.Actor),
        Supervise supervise => TracedPath.Of(supervise.Child),
        Recreate recreate => recreate.Cause?.GetType().ToString(),
        _ => null,
    };

    // Only the compiler writes PrintMembers(StringBuilder): it tells records, classes and structs alike, from the rest.
    private static bool IsRecord(Type type) => type.GetMethod(
        "PrintMembers", BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public, [typeof(StringBuilder)]) is not null;
}
