using Akka.Actor;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>Where a job begins, or goes on after a pause or the end of its process. Its owner disposes of it.</summary>
public sealed record JobStart : IDisposable
{
    /// <summary>The state of all layers after a step, complete; null for a job that begins.</summary>
    public TrainingState? State { get; init; }

    /// <summary>The job's course right after that step.</summary>
    public ProgressState Progress { get; init; } = ProgressState.Beginning;

    /// <summary>The last generation of the job so far; its number and those before it are not used again.</summary>
    public long LastGeneration { get; init; }

    /// <summary>How often the job was recovered so far.</summary>
    public int Recoveries { get; init; }

    /// <summary>The last step that was told: it and those before it are not told again.</summary>
    public long ToldStep { get; init; }

    /// <summary>The epochs that were told: they are not told again.</summary>
    public int ToldEpochs { get; init; }

    /// <summary>The number of the last event that was told, ≥ 0: those that follow are counted from there.</summary>
    public long LastEvent { get; init; }

    /// <summary>The epochs whose end is in the journal: it is not written again.</summary>
    public int DecidedEpochs { get; init; }

    /// <summary>Who keeps what happens (<see cref="Journal.JobJournalActor"/>) and saves checkpoints; null for nobody.</summary>
    public IActorRef? Journal { get; init; }

    /// <inheritdoc/>
    public void Dispose() => State?.Dispose();
}
