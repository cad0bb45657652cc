using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Checks;

/// <summary>What happened in one run, in the order in which it happened: faults, generations, checkpoints, steps.</summary>
/// <param name="run">The run.</param>
public sealed class Timeline(SimulatedRun run)
{
    /// <summary>What can stand on a timeline.</summary>
    public enum Track
    {
        /// <summary>What was done to the cluster.</summary>
        Fault,

        /// <summary>A placement begins.</summary>
        Generation,

        /// <summary>A checkpoint is saved.</summary>
        Checkpoint,

        /// <summary>A step is told.</summary>
        Step,

        /// <summary>An epoch ends, the job waits, is paused, or is over.</summary>
        Job,
    }

    /// <summary>One thing that happened.</summary>
    /// <param name="Time">When, in virtual time since the start.</param>
    /// <param name="Track">Of which kind.</param>
    /// <param name="What">In words.</param>
    /// <param name="Lasts">How long; zero for what happens at once.</param>
    public sealed record Entry(TimeSpan Time, Track Track, string What, TimeSpan Lasts);

    /// <summary>The run.</summary>
    public SimulatedRun Run => run;

    /// <summary>All that happened.</summary>
    public ImmutableArray<Entry> Entries { get; } =
    [
        .. run.Faults.Select(fault => new Entry(
                fault.Time, Track.Fault, $"{fault.Kind} {fault.What}{(fault.TookEffect ? "" : " (nobody felt it)")}".TrimEnd(), fault.Lasts))
            .Concat(run.Events.Select(told => Of(told.Time, told.Event)))
            .OrderBy(entry => entry.Time),
    ];

    /// <summary>The timeline as lines of text.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"seed {run.Seed}: {(run.IsRight ? "as it must be" : string.Join("; ", run.Problems))}\n");
        foreach (var entry in Entries)
        {
            var lasts = entry.Lasts > TimeSpan.Zero ? $" for {Seconds(entry.Lasts)}" : "";
            text.Append(CultureInfo.InvariantCulture, $"{Seconds(entry.Time),12}  {entry.Track,-10}  {entry.What}{lasts}\n");
        }

        return text.ToString();
    }

    /// <summary>A time as it is written.</summary>
    internal static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:F6} s");

    private static Entry Of(TimeSpan time, TrainingEvent happened)
    {
        var (track, what) = happened switch
        {
            StepDone step => (Track.Step, FormattableString.Invariant($"step {step.Step}, loss {step.Loss:R}")),
            GenerationStarted generation => (Track.Generation, FormattableString.Invariant(
                $"generation {generation.Generation} after step {generation.Step}: {generation.Reason}; {generation.Placement}")),
            CheckpointSaved saved => (Track.Checkpoint, FormattableString.Invariant($"checkpoint after step {saved.Step}")),
            EpochDone epoch => (Track.Job, FormattableString.Invariant($"epoch {epoch.Epoch} ends with step {epoch.Step}")),
            TrainingStarted => (Track.Job, "training begins"),
            TrainingWaits waits => (Track.Job, $"waits: {waits.Reason}"),
            TrainingPaused paused => (Track.Job, FormattableString.Invariant($"paused after step {paused.Step}")),
            TrainingCompleted completed => (Track.Job, $"completed: {completed.WeightsSha256}"),
            TrainingFailed failed => (Track.Job, $"failed: {failed.Reason}"),
            _ => (Track.Job, happened.ToString()),
        };
        return new Entry(time, track, what, TimeSpan.Zero);
    }
}
