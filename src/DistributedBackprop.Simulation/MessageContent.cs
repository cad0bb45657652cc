using System.Globalization;
using System.Text;
using Akka.Actor;
using Akka.Dispatch.SysMsg;

namespace DistributedBackprop.Simulation;

/// <summary>The part of a message that enters the trace besides its type.</summary>
public static class MessageContent
{
    /// <summary>
    /// Writes the content of <paramref name="message"/> if it offers one: text, numbers, enumerations, records (what they
    /// print), <see cref="ITracedContent"/>, and Akka's own timers and deaths. Nothing of everything else, whose
    /// <see cref="object.ToString"/> may print what differs between processes.
    /// </summary>
    /// <param name="message">The message.</param>
    /// <param name="text">Where to; what it holds stays.</param>
    public static void Write(object? message, StringBuilder text)
    {
        ArgumentNullException.ThrowIfNull(text);
        switch (message)
        {
            case null:
                break;
            case string said:
                text.Append(said);
                break;
            case ITracedContent traced:
                text.Append(traced.TracedContent);
                break;
            case Terminated death:
                text.Append(TracedPath.Of(death.ActorRef));
                break;
            case IWrappedMessage wrapped:
                text.Append(wrapped.Message?.GetType()).Append(' ');
                Write(wrapped.Message, text);
                break;
            case Enum or decimal:
                text.Append(message.ToString());
                break;
            case IConvertible number when message.GetType().IsPrimitive:
                text.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
            default:
                RecordText.WriterOf(message.GetType())?.Invoke(message, text);
                break;
        }
    }

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
}
