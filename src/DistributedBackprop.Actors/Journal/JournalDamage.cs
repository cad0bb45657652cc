using System.Runtime.Serialization;

namespace DistributedBackprop.Actors.Journal;

/// <summary>Tells a journal that is damaged from a database that is away: the one would be the same when it is read again.</summary>
internal static class JournalDamage
{
    /// <summary>Whether a failure to read a journal is due to what is in it.</summary>
    /// <param name="failure">Why it could not be read; the plugin wraps what the serializer throws.</param>
    public static bool IsIn(Exception? failure) => failure switch
    {
        null or LaterEventException => false,
        SerializationException or JournalException => true,
        AggregateException several => several.InnerExceptions.Any(IsIn),
        _ => IsIn(failure.InnerException),
    };
}
