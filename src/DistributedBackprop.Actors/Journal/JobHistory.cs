using System.Collections.Immutable;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Journal;

/// <summary>
/// What a job knows of its past: its journal, folded. Pure. An actor asks for what would be after an event
/// before it persists it, so that what cannot be read back is never written.
/// </summary>
public sealed record JobHistory
{
    /// <summary>So many of the newest epochs are known: as many as those who watch a job that has not been interrupted are told.</summary>
    public const int EpochsKept = 10_000;

    private JobHistory()
    {
    }

    /// <summary>Of a journal without events.</summary>
    public static JobHistory Empty { get; } = new();

    /// <summary>What was handed in; null where nothing was yet.</summary>
    public JobSubmitted? Submitted { get; init; }

    /// <summary>The last one that took over; 0 before the first.</summary>
    public long Epoch { get; init; }

    /// <summary>The process of the last one that took over; empty before the first, and where an earlier version did not say.</summary>
    public string Process { get; init; } = "";

    /// <summary>
    /// The last takeover of the coordinator's own journal under which anybody took over: an earlier coordinator has the job no
    /// more. 0 where none was counted.
    /// </summary>
    public long CoordinatorEpoch { get; init; }

    /// <summary>The last placement; 0 before the first.</summary>
    public long Generation { get; init; }

    /// <summary>Whether it was placed since it was handed in.</summary>
    public bool WasPlaced { get; init; }

    /// <summary>How often the job was recovered: what had been counted when it was placed last, and each takeover while it ran.</summary>
    public int Recoveries { get; init; }

    /// <summary>The newest epochs that were decided, at most <see cref="EpochsKept"/>, oldest first.</summary>
    public ImmutableList<EpochDecided> Epochs { get; init; } = [];

    /// <summary>The last epoch that was decided; null before the first.</summary>
    public EpochDone? LastEpoch => Epochs.IsEmpty ? null : Epochs[^1].Epoch;

    /// <summary>Whether the last epoch that was decided ends the job.</summary>
    public bool EndsAfterLastEpoch => !Epochs.IsEmpty && Epochs[^1].EndsJob;

    /// <summary>The checkpoints that the job can go on from, oldest first.</summary>
    public ImmutableArray<CheckpointManifest> Checkpoints { get; init; } = [];

    /// <summary>The checkpoint to go on from; null for the beginning.</summary>
    public CheckpointManifest? NewestCheckpoint => Checkpoints.IsEmpty ? null : Checkpoints[^1];

    /// <summary>The step after which it was paused; null where it runs.</summary>
    public long? PausedAt { get; init; }

    /// <summary><see cref="JobCompleted"/>, <see cref="JobFailed"/> or <see cref="JobCancelled"/>; null where it is not over.</summary>
    public JobRecord? Outcome { get; init; }

    /// <summary>
    /// The versions of the program that had it before the present one, in their order: only where there are none are its bits
    /// what is promised.
    /// </summary>
    public ImmutableArray<string> FormerVersions { get; init; } = [];

    /// <summary>
    /// Every state in the store that the job still needs: its checkpoints, the parameters it began with, its final weights.
    /// </summary>
    public IEnumerable<StateManifest> NeededStates
    {
        get
        {
            foreach (var checkpoint in Checkpoints)
            {
                yield return checkpoint.State;
            }

            if (Submitted?.Initial is { } initial)
            {
                yield return initial;
            }

            if (Outcome is JobCompleted completed)
            {
                yield return completed.Weights;
            }
        }
    }

    /// <summary>The same job from its beginning: only the numbers that must never be used again go on.</summary>
    public JobHistory Forgotten() => Empty with
    {
        Epoch = Epoch,
        Process = Process,
        CoordinatorEpoch = CoordinatorEpoch,
        Generation = Generation,
    };

    /// <inheritdoc/>
    public bool Equals(JobHistory? other) => other is not null
        && Equals(Submitted, other.Submitted)
        && (Epoch, Generation, WasPlaced, Recoveries) == (other.Epoch, other.Generation, other.WasPlaced, other.Recoveries)
        && (Process, CoordinatorEpoch, PausedAt) == (other.Process, other.CoordinatorEpoch, other.PausedAt)
        && Equals(Outcome, other.Outcome)
        && Epochs.SequenceEqual(other.Epochs)
        && Checkpoints.SequenceEqual(other.Checkpoints)
        && FormerVersions.SequenceEqual(other.FormerVersions);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Epoch, Generation, Checkpoints.Length, Outcome);

    /// <summary>What the job knows after an event.</summary>
    /// <exception cref="JournalException">That cannot have happened now.</exception>
    public JobHistory After(JobRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record is JobTookOver tookOver)
        {
            // Whoever ran it is gone.
            var wasRunning = WasPlaced && PausedAt is null && Outcome is null;
            return this with
            {
                Epoch = Larger(tookOver.Epoch, Epoch, record),
                Process = tookOver.Process,
                CoordinatorEpoch = Math.Max(CoordinatorEpoch, tookOver.CoordinatorEpoch),
                Recoveries = Recoveries + (wasRunning ? 1 : 0),
            };
        }

        if (record is JobForgotten)
        {
            return Outcome is null ? throw Impossible(record, "the job is not over") : Forgotten();
        }

        if (Submitted is null != record is JobSubmitted)
        {
            throw Impossible(record, Submitted is null ? "nothing was handed in" : "a job is handed in once");
        }

        if (Outcome is not null)
        {
            throw Impossible(record, $"the job is over ({Outcome.GetType().Name})");
        }

        return record switch
        {
            JobSubmitted submitted => this with { Submitted = submitted },
            VersionForced forced => this with
            {
                Submitted = Submitted! with { ProgramVersion = forced.Version },
                FormerVersions = FormerVersions.Add(Submitted.ProgramVersion),
            },
            JobPlaced placed => this with
            {
                Generation = Larger(placed.Generation, Generation, record),
                WasPlaced = true,
                Recoveries = Math.Max(Recoveries, placed.Recoveries),
            },
            EpochDecided decided => After(decided),
            CheckpointCommitted committed => After(committed),
            CheckpointDropped dropped => After(dropped),
            JobPaused paused when PausedAt is null => this with { PausedAt = paused.Step },
            JobPaused => throw Impossible(record, $"it is paused at step {PausedAt}"),
            JobResumed when PausedAt is not null => this with { PausedAt = null },
            JobResumed => throw Impossible(record, "it was not paused"),
            JobCompleted or JobFailed or JobCancelled => this with { Outcome = record, PausedAt = null },
            _ => throw Impossible(record, "no such event is known"),
        };
    }

    private JobHistory After(EpochDecided decided)
    {
        var (epoch, last) = (decided.Epoch, LastEpoch?.Epoch ?? 0);
        return epoch.Epoch == last + 1 && epoch.Step > (LastEpoch?.Step ?? 0) && !EndsAfterLastEpoch
            ? this with { Epochs = (Epochs.Count < EpochsKept ? Epochs : Epochs.RemoveAt(0)).Add(decided) }
            : throw Impossible(decided, $"epoch {last} was decided last{(EndsAfterLastEpoch ? ", and ends the job" : "")}");
    }

    private JobHistory After(CheckpointCommitted committed)
    {
        var manifest = committed.Manifest;
        if (manifest.Generation > Generation)
        {
            throw Impossible(committed, $"the last placement is {Generation}, the checkpoint is of {manifest.Generation}");
        }

        if (manifest.Progress.Epochs > (LastEpoch?.Epoch ?? 0))
        {
            throw Impossible(committed, $"epoch {manifest.Progress.Epochs} was not decided");
        }

        // A job that went on from an older checkpoint reaches the same steps again.
        var before = Checkpoints.Where(known => known.Step < manifest.Step).TakeLast(committed.Keep - 1);
        return this with { Checkpoints = [.. before, manifest] };
    }

    private JobHistory After(CheckpointDropped dropped) => Checkpoints.Any(known => known.Step == dropped.Step)
        ? this with { Checkpoints = Checkpoints.RemoveAll(known => known.Step == dropped.Step) }
        : throw Impossible(dropped, $"there is no checkpoint of step {dropped.Step}");

    private static long Larger(long number, long last, JobRecord record) =>
        number > last ? number : throw Impossible(record, $"its number must be larger than {last} (was {number})");

    private static JournalException Impossible(JobRecord record, string why) =>
        new($"the event {record.GetType().Name} cannot have happened here: {why}");
}
