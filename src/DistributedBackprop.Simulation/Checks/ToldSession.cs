using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>What one run of a job has told, and what was durable when it told the first of it.</summary>
internal sealed class ToldSession
{
    private readonly List<TrainingEvent> _events = [];

    /// <summary>In their order.</summary>
    public IReadOnlyList<TrainingEvent> Events => _events;

    /// <summary>The last step whose telling a process that takes the job over takes for granted; 0 for none.</summary>
    public long DurableStep { get; private set; }

    /// <summary>The last epoch in the job's journal; 0 for none.</summary>
    public long DurableEpoch { get; private set; }

    /// <summary>Something is told.</summary>
    /// <param name="told">What.</param>
    /// <param name="disk">Where the job's journal is.</param>
    /// <param name="journal">Its name.</param>
    public void Add(TrainingEvent told, SimulatedDisk disk, string journal)
    {
        // Until then it has left nothing out.
        if (!_events.Exists(before => before is StepDone or EpochDone))
        {
            foreach (var kept in disk.Audit.EventsOf(journal))
            {
                DurableStep = Math.Max(DurableStep, kept switch
                {
                    CheckpointCommitted { Manifest.Step: var step } => step,
                    EpochDecided { Epoch.Step: var step } => step,
                    _ => 0,
                });
                DurableEpoch = Math.Max(DurableEpoch, (kept as EpochDecided)?.Epoch.Epoch ?? 0);
            }
        }

        _events.Add(told);
    }
}
