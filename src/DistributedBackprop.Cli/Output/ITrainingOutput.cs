using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Output;

/// <summary>Shows a training run to a person or a program.</summary>
internal interface ITrainingOutput : IDisposable
{
    /// <summary>Before training: what will be trained.</summary>
    void Begin(RunDescription run);

    /// <summary>Something happened. The last event is completed, failed or cancelled.</summary>
    void On(TrainingEvent happened);
}
