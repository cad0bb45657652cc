using System.Collections.Immutable;
using DistributedBackprop.Simulation.Faults;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>What one seed came to.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Outcome">How the job ended; null where it did not.</param>
/// <param name="Problems">What is wrong, for people; empty where the run is as it must be.</param>
/// <param name="Faults">What was done to the cluster.</param>
/// <param name="WasCalm">Whether it went on when all faults were over: from then on it had to end within the scenario's time.</param>
/// <param name="MessageFaults">How often control messages went astray, by kind.</param>
/// <param name="Events">What the job told, and when.</param>
/// <param name="VirtualTime">How long it took.</param>
/// <param name="Messages">Messages that actors have handled.</param>
/// <param name="Generations">Placements that have begun.</param>
/// <param name="SlowestRecovery">The longest time between two steps between which a new generation began.</param>
/// <param name="TraceHash">The hash of all that happened.</param>
public sealed record SimulatedRun(
    ulong Seed,
    TrainingEvent? Outcome,
    ImmutableArray<string> Problems,
    ImmutableArray<InjectedFault> Faults,
    bool WasCalm,
    ImmutableSortedDictionary<Clusters.MessageFault, long> MessageFaults,
    ImmutableArray<(TimeSpan Time, TrainingEvent Event)> Events,
    TimeSpan VirtualTime,
    long Messages,
    int Generations,
    TimeSpan SlowestRecovery,
    string TraceHash)
{
    /// <summary>The hash of the final weights; null where the job did not complete.</summary>
    public string? WeightsSha256 => (Outcome as TrainingCompleted)?.WeightsSha256;

    /// <summary>How many faults somebody has felt.</summary>
    public int Effective => Faults.Count(fault => fault.TookEffect);

    /// <summary>Whether everything is as it must be.</summary>
    public bool IsRight => Problems.IsEmpty;
}
