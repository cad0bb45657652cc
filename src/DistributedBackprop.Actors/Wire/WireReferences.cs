using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using DistributedBackprop.Actors.Wire.Messages;

namespace DistributedBackprop.Actors.Wire;

/// <summary>Actors in messages: as paths on the wire, with the address of their node.</summary>
internal sealed class WireReferences(ExtendedActorSystem system)
{
    private const int MaxPath = 2048;

    public static ActorReference Write(IActorRef actor) => new() { Path = Serialization.SerializedActorPath(actor) };

    /// <exception cref="SerializationException">It is not the path of an actor.</exception>
    public IActorRef Read(ActorReference? reference, string field)
    {
        var path = WireFields.Text(reference?.Path ?? "", field, MaxPath);
        try
        {
            // A negative incarnation is none of Akka's: it reads one, and writes nonsense for it.
            return ActorPath.TryParse(path, out _) && !path.Contains("#-", StringComparison.Ordinal)
                ? system.Provider.ResolveActorRef(path)
                : throw NoActor(field, path);
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            // Akka takes the address and the incarnation apart only now.
            throw NoActor(field, path);
        }
    }

    private static SerializationException NoActor(string field, string path) =>
        new($"{field} must be the path of an actor (was {path})");
}
