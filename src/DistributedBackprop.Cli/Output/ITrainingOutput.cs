using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Output;

/// <summary>Shows a training run to a person or a program.</summary>
internal interface ITrainingOutput : IDisposable
{
    /// <summary>Before training: what will be trained.</summary>
    void Begin(RunDescription run);

    /// <summary>Something happened.</summary>
    void On(TrainingEvent happened);

    /// <summary>The last event: completed, failed or cancelled.</summary>
    /// <param name="outcome">Which.</param>
    /// <param name="statistics">What the run cost; null where nobody asked.</param>
    void End(TrainingEvent outcome, RunStatistics? statistics);
}
