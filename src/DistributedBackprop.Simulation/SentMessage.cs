using Akka.Actor;

namespace DistributedBackprop.Simulation;

/// <summary>A message on its way to an actor, as those see it who look at what passes.</summary>
/// <param name="Node">The node of the actor.</param>
/// <param name="Receiver">The actor's path, for example <c>akka://n1/user/node</c>.</param>
/// <param name="Message">The message.</param>
/// <param name="Sender">Who sent it.</param>
public readonly record struct SentMessage(SimulatedNode Node, string Receiver, object Message, IActorRef? Sender);
