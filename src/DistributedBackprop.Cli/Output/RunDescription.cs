using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Output;

/// <summary>What a run's output says before training.</summary>
/// <param name="Job">The job.</param>
/// <param name="Graph">Its network.</param>
/// <param name="Data">Its examples.</param>
/// <param name="Plan">Its steps.</param>
/// <param name="StageOf">The stage of each layer.</param>
/// <param name="Threads">Threads on which the layers of a process compute.</param>
/// <param name="Nodes">Nodes that train; null for this process alone.</param>
internal sealed record RunDescription(
    TrainingJob Job, Graph Graph, DataSet Data, StepPlan Plan, IReadOnlyList<int> StageOf, int Threads, int? Nodes);
