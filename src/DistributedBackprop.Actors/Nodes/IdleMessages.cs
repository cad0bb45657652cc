using Akka.Actor;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>Asks a node's agent to say when the node holds no generation; within one process.</summary>
public sealed record TellWhenIdle : INoSerializationVerificationNeeded;

/// <summary>The answer to <see cref="TellWhenIdle"/>: the node holds no generation.</summary>
public sealed record NodeIdle : INoSerializationVerificationNeeded;
