namespace DistributedBackprop.Simulation.Faults;

/// <summary>What whoever handed the jobs in may do to them while they run.</summary>
internal interface IJobActs
{
    /// <summary>Whether they are all over.</summary>
    bool IsOver { get; }

    /// <summary>Whether the coordinator's process may be ended at present: somebody hands in again what it had.</summary>
    bool MayEndCoordinator { get; }

    /// <summary>Has a job pause.</summary>
    /// <param name="draws">Says which.</param>
    /// <returns>Its name; null where none can.</returns>
    string? Pause(KeyedGenerator draws);

    /// <summary>Whether a job that was to pause has heard of it.</summary>
    bool HeardOfPause(string job);

    /// <summary>Whether a job was cancelled.</summary>
    bool IsCancelled(string job);

    /// <summary>Lets a job go on that was to pause.</summary>
    /// <returns>Whether that is settled; else it is tried again.</returns>
    bool Resume(string job);

    /// <summary>Has a job end.</summary>
    /// <param name="draws">Says which.</param>
    /// <returns>Its name; null where none can.</returns>
    string? Cancel(KeyedGenerator draws);
}
