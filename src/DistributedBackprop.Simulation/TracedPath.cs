using System.Runtime.CompilerServices;
using Akka.Actor;

namespace DistributedBackprop.Simulation;

/// <summary>The name under which an actor is sorted and traced: its path, the same in every process.</summary>
internal static class TracedPath
{
    // The event stream of each system starts one such actor and numbers it with a counter of the process.
    private const string NumberedByProcess = "/system/EventStreamUnsubscriber-";

    // Paths are built anew at every ToString; a reference is asked for its path once for each message.
    private static readonly ConditionalWeakTable<IActorRef, string> _known = [];

    /// <summary>The traced path of <paramref name="actor"/>; empty for none.</summary>
    public static string Of(IActorRef? actor)
    {
        if (actor is null)
        {
            return "";
        }

        return _known.TryGetValue(actor, out string? path) ? path : _known.GetValue(actor, static unknown => Build(unknown));
    }

    private static string Build(IActorRef actor)
    {
        string path = actor.Path.ToString() ?? "";
        int cut = path.IndexOf(NumberedByProcess, StringComparison.Ordinal);
        return cut < 0 ? path : path[..(cut + NumberedByProcess.Length)];
    }
}
