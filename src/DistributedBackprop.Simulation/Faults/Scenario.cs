using System.Collections.Immutable;
using DistributedBackprop.Simulation.Clusters;

namespace DistributedBackprop.Simulation.Faults;

/// <summary>What is to happen to a cluster while it trains, as data: kinds with weights, rates and limits. Times are virtual.</summary>
public sealed record Scenario
{
    /// <summary>Nothing happens.</summary>
    public static Scenario None { get; } = new()
    {
        Least = 0,
        Most = 0,
        Kinds = ImmutableSortedDictionary<FaultKind, double>.Empty,
        Messages = ImmutableSortedDictionary<MessageFault, double>.Empty,
    };

    /// <summary>Everything happens.</summary>
    public static Scenario Default { get; } = new();

    /// <summary>Everything happens, also what needs several jobs and a queue of them.</summary>
    public static Scenario Service { get; } = Default with
    {
        Kinds = Default.Kinds.SetItems(
        [
            KeyValuePair.Create(FaultKind.TwoCoordinators, 1.0),
            KeyValuePair.Create(FaultKind.JobPauses, 2.0),
            KeyValuePair.Create(FaultKind.JobCancels, 1.0),
        ]),
    };

    /// <summary>The network falls apart, and with it the coordination.</summary>
    public static Scenario Partitions { get; } = new()
    {
        Least = 3,
        Most = 6,
        Kinds = ImmutableSortedDictionary.CreateRange(
        [
            KeyValuePair.Create(FaultKind.Partition, 2.0),
            KeyValuePair.Create(FaultKind.OneWayPartition, 1.0),
            KeyValuePair.Create(FaultKind.Swizzle, 1.0),
            KeyValuePair.Create(FaultKind.TwoCoordinators, 4.0),
            KeyValuePair.Create(FaultKind.CoordinatorPauses, 1.0),
            KeyValuePair.Create(FaultKind.CoordinatorCrashes, 0.5),
        ]),
    };

    /// <summary>Nodes come and go, politely, and nothing else happens.</summary>
    public static Scenario Elastic { get; } = new()
    {
        MostNodes = 8,
        Kinds = ImmutableSortedDictionary.CreateRange(
        [
            KeyValuePair.Create(FaultKind.NodeJoins, 1.0),
            KeyValuePair.Create(FaultKind.NodeLeaves, 1.0),
        ]),
        Messages = ImmutableSortedDictionary<MessageFault, double>.Empty,
    };

    /// <summary>
    /// Everything happens at once, and then nothing more: whatever is left of it must have come to its end soon after.
    /// </summary>
    public static Scenario Liveness { get; } = new() { LongestGap = TimeSpan.FromMilliseconds(8), Within = TimeSpan.FromMinutes(3) };

    /// <summary>Fewest faults in one run that somebody feels, ≥ 0. Default: 10.</summary>
    public int Least { get; init; } = 10;

    /// <summary>
    /// From <see cref="Least"/> to so many faults that somebody feels are to happen; there may be a few more, which are felt late.
    /// Default: 16.
    /// </summary>
    public int Most { get; init; } = 16;

    /// <summary>The shortest time from one fault to the next. Default: 2 ms.</summary>
    public TimeSpan ShortestGap { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>The longest time from one fault to the next. Default: 100 ms.</summary>
    public TimeSpan LongestGap { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The shortest time that something lasts. Default: 5 ms.</summary>
    public TimeSpan Shortest { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>The longest time that something lasts. Default: 20 s.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The most nodes that there may be. Default: 6.</summary>
    public int MostNodes { get; init; } = 6;

    /// <summary>How soon after the last fault the job must be over. Default: 10 min.</summary>
    public TimeSpan Within { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often each kind comes, in relation to the others; a kind that is not here never comes.</summary>
    public ImmutableSortedDictionary<FaultKind, double> Kinds { get; init; } = ImmutableSortedDictionary.CreateRange(
    [
        KeyValuePair.Create(FaultKind.LinkStalls, 2.0),
        KeyValuePair.Create(FaultKind.LinkSlow, 2.0),
        KeyValuePair.Create(FaultKind.LinkBreaks, 3.0),
        KeyValuePair.Create(FaultKind.Partition, 1.0),
        KeyValuePair.Create(FaultKind.OneWayPartition, 1.0),
        KeyValuePair.Create(FaultKind.Swizzle, 0.5),
        KeyValuePair.Create(FaultKind.NodePauses, 2.0),
        KeyValuePair.Create(FaultKind.NodeCrashes, 4.0),
        KeyValuePair.Create(FaultKind.NodeJoins, 1.0),
        KeyValuePair.Create(FaultKind.NodeLeaves, 1.0),
        KeyValuePair.Create(FaultKind.CoordinatorPauses, 0.5),
        KeyValuePair.Create(FaultKind.CoordinatorCrashes, 1.0),
        KeyValuePair.Create(FaultKind.DiskSlow, 0.5),
        KeyValuePair.Create(FaultKind.DiskFails, 0.5),
        KeyValuePair.Create(FaultKind.DiskAway, 0.5),
        KeyValuePair.Create(FaultKind.DiskLosesAnswers, 0.5),
        KeyValuePair.Create(FaultKind.DiskTears, 0.5),
        KeyValuePair.Create(FaultKind.DiskDamage, 0.5),
        KeyValuePair.Create(FaultKind.JobPauses, 1.0),
    ]);

    /// <summary>How often control messages go astray: 0 … 1.</summary>
    public ImmutableSortedDictionary<MessageFault, double> Messages { get; init; } = ImmutableSortedDictionary.CreateRange(
    [
        KeyValuePair.Create(MessageFault.Lost, 0.01),
        KeyValuePair.Create(MessageFault.Doubled, 0.02),
        KeyValuePair.Create(MessageFault.Late, 0.01),
        KeyValuePair.Create(MessageFault.OutOfOrder, 0.02),
    ]);
}
