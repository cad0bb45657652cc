using DistributedBackprop.Simulation.Services;

namespace DistributedBackprop.Simulation.Faults;

/// <summary>What the client of a service may do to its jobs, whatever they do at the time.</summary>
internal sealed class ServedJobActs(SimulatedService service) : IJobActs
{
    public bool IsOver => service.IsOver;

    public bool MayEndCoordinator => true;

    public string? Pause(KeyedGenerator draws) => Any(draws) is { IsHeld: false } job ? Done(job, service.Pause) : null;

    public bool HeardOfPause(string job) => service.Job(job).PausesHeard > 0;

    public bool IsCancelled(string job) => service.Job(job).IsCancelAcknowledged;

    public bool Resume(string job)
    {
        service.Resume(job);
        return true;
    }

    // One is left at least: with all of them cancelled nothing would be compared.
    public string? Cancel(KeyedGenerator draws) =>
        Any(draws) is { } job && service.Jobs.Count(other => !other.WasCancelled) > 1 ? Done(job, service.Cancel) : null;

    private static string Done(ServedJob job, Action<string> act)
    {
        act(job.Id);
        return job.Id;
    }

    private ServedJob? Any(KeyedGenerator draws)
    {
        var open = service.Jobs.Where(job => job.Final is null && !job.WasCancelled).ToList();
        return open.Count == 0 ? null : open[draws.Below(open.Count)];
    }
}
