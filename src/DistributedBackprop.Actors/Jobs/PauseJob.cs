using Akka.Actor;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>The job shall stand still: it trains what is granted, saves its state, and ends as paused.</summary>
public sealed record PauseJob : INoSerializationVerificationNeeded;
