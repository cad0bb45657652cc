using Akka.Actor;
using Akka.Event;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>
/// Gives up the tensors of messages that nobody gets any more, such as a part of a state that comes behind the order on which
/// the actor it is told to ends. There is one in an actor system.
/// </summary>
internal sealed class LostTensors : ReceiveActor
{
    private const string Name = "lost-tensors";

    /// <summary>Makes the actor.</summary>
    public LostTensors()
    {
        Receive<DeadLetter>(lost => TensorsOf.Message(lost.Message));
    }

    /// <summary>Sees to it that there is one in a system.</summary>
    public static void AreGivenUpIn(ActorSystem system) => system.WithExtension<Extension, Provider>();

    private sealed class Provider : ExtensionIdProvider<Extension>
    {
        public override Extension CreateExtension(ExtendedActorSystem system)
        {
            // Of the system: it outlives the actors that people make.
            var actor = system.SystemActorOf(Akka.Actor.Props.Create(() => new LostTensors()), Name);
            system.EventStream.Subscribe(actor, typeof(DeadLetter));
            return new Extension();
        }
    }

    private sealed class Extension : IExtension;
}
