using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>Where jobs outlive their process: journals are the actor system's to keep, states the store's.</summary>
/// <param name="Store">Keeps states: it takes every <see cref="IStoreRequest"/>.</param>
/// <param name="ProgramVersion">Fixes the bits: a job is not resumed by another.</param>
public sealed record JobStorage(IActorRef Store, string ProgramVersion);
