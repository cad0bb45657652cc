namespace DistributedBackprop.Simulation.Faults;

/// <summary>Something that was done to the cluster.</summary>
/// <param name="Time">When, in virtual time since the start.</param>
/// <param name="Kind">What.</param>
/// <param name="What">To whom and for how long, for people.</param>
/// <param name="Lasts">How long; zero for what happens at once.</param>
/// <param name="TookEffect">
/// Whether anybody felt it: nobody does where a way stands on which nothing is sent, or a job is to pause that is over first.
/// </param>
public sealed record InjectedFault(TimeSpan Time, FaultKind Kind, string What, TimeSpan Lasts, bool TookEffect);
