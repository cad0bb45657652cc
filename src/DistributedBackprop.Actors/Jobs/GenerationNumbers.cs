namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// The last generation of each job that a coordinator has begun. A job that is handed in again is no stranger to the nodes:
/// what is late of its last run must not be taken for this one's. It outlives the coordinator's actor, which may be started
/// anew; one actor at a time uses it.
/// </summary>
public sealed class GenerationNumbers
{
    private readonly Dictionary<string, long> _last = new(StringComparer.Ordinal);

    /// <summary>The last generation of a job; 0 where there was none.</summary>
    public long LastOf(string job) => _last.GetValueOrDefault(job);

    /// <summary>A job has begun a generation.</summary>
    public void OnBegun(string job, long generation) => _last[job] = Math.Max(LastOf(job), generation);
}
