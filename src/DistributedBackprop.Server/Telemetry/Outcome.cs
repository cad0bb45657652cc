using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Telemetry;

/// <summary>How a run of a job ends, in a word.</summary>
internal static class Outcome
{
    /// <summary>The word; null for an event that ends nothing.</summary>
    public static string? WordOf(TrainingEvent happened) => happened switch
    {
        TrainingCompleted => "completed",
        TrainingFailed => "failed",
        TrainingCancelled => "cancelled",
        TrainingPaused => "paused",
        _ => null,
    };
}
