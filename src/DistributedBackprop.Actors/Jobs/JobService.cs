using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>What a coordinator needs to take jobs from outside.</summary>
/// <param name="Loading">Loads them; null: jobs begin only when somebody in this process runs them (<see cref="RunRequest"/>).</param>
/// <param name="Limits">How many there may be.</param>
public sealed record JobService(IJobLoading? Loading, JobTableLimits Limits);
