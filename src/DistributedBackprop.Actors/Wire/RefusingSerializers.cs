using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace DistributedBackprop.Actors.Wire;

/// <summary>
/// Stands where Akka has a serializer that makes whatever type the sender names: what comes for it is refused, so that
/// nobody can have a node make an object of their choice.
/// </summary>
/// <param name="system">Whose.</param>
/// <param name="identifier">The serializer in whose place it stands.</param>
public abstract class RefusingSerializer(ExtendedActorSystem system, int identifier) : Serializer(system)
{
    /// <inheritdoc/>
    public override int Identifier { get; } = identifier;

    /// <inheritdoc/>
    public override bool IncludeManifest => true;

    /// <inheritdoc/>
    /// <exception cref="SerializationException">Always.</exception>
    public override byte[] ToBinary(object obj) =>
        throw new SerializationException($"a message {obj?.GetType().FullName} is not made to cross nodes");

    /// <inheritdoc/>
    /// <exception cref="SerializationException">Always.</exception>
    public override object FromBinary(byte[] bytes, Type type) =>
        throw new SerializationException("messages that name their own type are not taken");
}

/// <summary>In the place of Newtonsoft JSON.</summary>
/// <param name="system">Whose.</param>
/// <param name="settings">Those of the serializer in whose place it stands: Akka passes them to it.</param>
#pragma warning disable CS9113 // The constructor's shape is Akka's.
public sealed class NoJson(ExtendedActorSystem system, Config settings) : RefusingSerializer(system, 1);
#pragma warning restore CS9113

/// <summary>In the place of bare Protocol Buffers.</summary>
/// <param name="system">Whose.</param>
public sealed class NoBareProtobuf(ExtendedActorSystem system) : RefusingSerializer(system, 2);

/// <summary>In the place of remote deployment: nobody has a node start an actor of their choice.</summary>
/// <param name="system">Whose.</param>
public sealed class NoRemoteDeployment(ExtendedActorSystem system) : RefusingSerializer(system, 3);
