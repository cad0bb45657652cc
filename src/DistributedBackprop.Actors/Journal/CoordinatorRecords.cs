using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Actors.Journal;

/// <summary>A process took the coordination over. The one before meets a key conflict at its next event.</summary>
/// <param name="Epoch">From 1, one more than that of the one before.</param>
/// <param name="Process">Names the process: no other one ever has this name.</param>
public sealed record CoordinatorTookOver(long Epoch, string Process) : CoordinatorRecord;

/// <summary>The table of jobs has changed. Whoever asked for it is answered after this.</summary>
/// <param name="Change">How.</param>
public sealed record TableChanged(JobTableEvent Change) : CoordinatorRecord;
