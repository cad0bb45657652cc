using Akka.Actor;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// Why an actor has failed. Whoever supervises it tells that: the actor itself only knows that it stops, and one that is
/// stopped with its process has not failed.
/// </summary>
internal static class FailedActor
{
    /// <summary>For people: the kind of the failure, a colon, and more.</summary>
    public static string ReasonOf(Exception exception)
    {
        var cause = exception is ActorInitializationException { InnerException: { } inner } ? inner : exception;
        return $"{cause.GetType().Name}: {cause.Message}";
    }
}
