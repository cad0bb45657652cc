using System.Collections.Immutable;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>What one node did in one generation.</summary>
/// <param name="Node">Its name.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="Stages">Its stages.</param>
/// <param name="Links">What it sent to each other node.</param>
/// <param name="AveragingBytes">Bytes that its layers sent to peers on other nodes.</param>
/// <param name="AveragingRounds">Averagings: steps, or rounds of parameter averaging.</param>
/// <param name="AveragingSeconds">Time in which some layer averaged, updated and waited for its peers.</param>
/// <param name="Overlaps">Backward passes of a layer while a later layer of the same replica still averaged.</param>
public sealed record NodeStatistics(
    string Node,
    int ProcessId,
    ImmutableArray<StageStatistics> Stages,
    ImmutableArray<LinkStatistics> Links,
    long AveragingBytes,
    long AveragingRounds,
    double AveragingSeconds,
    long Overlaps);

/// <summary>What one stage of one replica did.</summary>
/// <param name="Replica">Which replica.</param>
/// <param name="Stage">Which stage.</param>
/// <param name="BusySeconds">Time in the passes of training steps.</param>
/// <param name="Bubble">The mean share of a step in which it was idle.</param>
/// <param name="BubbleSteps">Over how many steps.</param>
/// <param name="LastBubble">That of the last of these steps.</param>
/// <param name="Peaks">
/// The most micro-batches that each of its layers held between forward and backward, by the layer's place in the graph.
/// </param>
public sealed record StageStatistics(
    int Replica, int Stage, double BusySeconds, double Bubble, long BubbleSteps, double LastBubble, ImmutableDictionary<int, int> Peaks);

/// <summary>Bytes of tensors that a node sent to another.</summary>
/// <param name="To">The other node.</param>
/// <param name="Activations">With the forward passes.</param>
/// <param name="Deltas">With the backward passes.</param>
/// <param name="Averaging">To peers.</param>
/// <param name="State">State of layers.</param>
public sealed record LinkStatistics(string To, long Activations, long Deltas, long Averaging, long State);
