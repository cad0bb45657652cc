using System.Runtime.Serialization;

namespace DistributedBackprop.Actors.Journal;

/// <summary>A journal has an event that this version of the program does not know: no damage, a later version can read it.</summary>
/// <param name="message">Which.</param>
public sealed class LaterEventException(string message) : SerializationException(message);
