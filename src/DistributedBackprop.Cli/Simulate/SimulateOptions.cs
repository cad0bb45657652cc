namespace DistributedBackprop.Cli.Simulate;

/// <summary>What <c>backprop simulate</c> was told.</summary>
/// <param name="JobPath">The job file; null: a small job of the simulation's own.</param>
/// <param name="DataRoot">The folder of the data files; null: the job file's.</param>
/// <param name="Jobs">How many jobs are handed in through the queue of a service; 0: one is handed to the coordinator itself.</param>
/// <param name="Nodes">Nodes at first.</param>
/// <param name="Seed">The first seed.</param>
/// <param name="Seeds">How many seeds.</param>
/// <param name="Faults">A scenario's name or file.</param>
/// <param name="CrashPoints">The points at which a process is killed, one a run, instead of what a scenario says; null for that.</param>
/// <param name="TimelinePath">Where the timeline of the first seed, or of the first that fails, is written; null: nowhere.</param>
/// <param name="Json">Whether events are printed.</param>
internal sealed record SimulateOptions(
    string? JobPath,
    string? DataRoot,
    int Jobs,
    int Nodes,
    ulong Seed,
    int Seeds,
    string Faults,
    (int First, int Count)? CrashPoints,
    string? TimelinePath,
    bool Json);
