using Akka.Actor;
using DistributedBackprop.Actors.Transport;

namespace DistributedBackprop.Actors.Links;

/// <summary>A link tells whoever opened it that it stands.</summary>
/// <param name="Peer">The other node.</param>
public sealed record LinkOpened(string Peer) : INoSerializationVerificationNeeded;

/// <summary>A link tells whoever opened it that it is broken. Said once.</summary>
/// <param name="Peer">The other node.</param>
/// <param name="Reason">What happened, for people.</param>
public sealed record LinkDown(string Peer, string Reason) : INoSerializationVerificationNeeded;

/// <summary>A node that sent to this generation is gone, or sent what does not belong here.</summary>
/// <param name="Peer">The other node.</param>
/// <param name="Reason">What happened, for people.</param>
public sealed record PeerLost(string Peer, string Reason) : INoSerializationVerificationNeeded;

/// <summary>A link is told to close; it stops once it holds no tensor any more.</summary>
public sealed record CloseLink : INoSerializationVerificationNeeded;

/// <summary>A link is told who takes small messages at the other end.</summary>
/// <param name="Peer">The actor of the generation there.</param>
public sealed record LinkTo(IActorRef Peer) : INoSerializationVerificationNeeded;

/// <summary>Bytes that a link has sent: its last word, before it stops.</summary>
/// <param name="Peer">The other node.</param>
/// <param name="Bytes">By flow.</param>
public sealed record LinkClosed(string Peer, IReadOnlyDictionary<Flow, long> Bytes) : INoSerializationVerificationNeeded;
