namespace DistributedBackprop.Training.Jobs;

/// <summary>A node on which stages may be put.</summary>
/// <param name="Name">Names it among the nodes; compared by ordinals.</param>
/// <param name="Threads">Threads on which its layers compute, ≥ 1: its share of the work.</param>
public sealed record PlacementNode(string Name, int Threads);
