using DistributedBackprop.Simulation.Clusters;

namespace DistributedBackprop.Simulation.Faults;

/// <summary>What may be done to the one job of a cluster. It is never cancelled: nothing would be left to compare.</summary>
internal sealed class SingleJobActs(SimulatedCluster cluster) : IJobActs
{
    public bool IsOver => cluster.Course.Outcome is not null;

    public bool MayEndCoordinator => !cluster.Course.IsPaused;

    public string? Pause(KeyedGenerator draws)
    {
        cluster.PauseJob();
        return cluster.Job.Job.Name;
    }

    public bool HeardOfPause(string job) => cluster.Course.IsPaused;

    public bool IsCancelled(string job) => false;

    // It pauses when it is drained, whenever that is.
    public bool Resume(string job) => IsOver || cluster.ResumeJob() || !cluster.IsJobPausing;

    public string? Cancel(KeyedGenerator draws) => null;
}
