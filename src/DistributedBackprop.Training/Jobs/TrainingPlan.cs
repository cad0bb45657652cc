namespace DistributedBackprop.Training.Jobs;

/// <summary>How long a job trains, and in what portions.</summary>
public sealed record TrainingPlan
{
    /// <summary>Examples of one step over all replicas, ≥ 1.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Micro-batches per replica and step, ≥ 1. Default 1.</summary>
    public int MicroBatches { get; init; } = 1;

    /// <summary>Passes over the training set, ≥ 1; null where <see cref="Steps"/> is given.</summary>
    public int? Epochs { get; init; }

    /// <summary>Steps, ≥ 1; null where <see cref="Epochs"/> is given.</summary>
    public long? Steps { get; init; }

    /// <summary>What ends the job before that.</summary>
    public StopRule StopWhen { get; init; } = new();
}

/// <summary>What ends a job early, decided at an epoch's end: any of them, the first met.</summary>
public sealed record StopRule
{
    /// <summary>Test accuracy at or above this, 0 … 1.</summary>
    public double? TestAccuracy { get; init; }

    /// <summary>Train loss at or below this.</summary>
    public double? TrainLoss { get; init; }

    /// <summary>So many epochs in a row without a lower test loss, ≥ 1.</summary>
    public int? Patience { get; init; }
}

/// <summary>How the work of a job is cut. Replicas and averaging are part of what is computed; the rest is not.</summary>
public sealed record Parallelism
{
    /// <summary>Full pipelines, each over its slice of every minibatch, ≥ 1. Default 1.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Runs of layers that placement may put on different nodes: 1 … layers. Default 1.</summary>
    public int Stages { get; init; } = 1;

    /// <summary>The order of a stage's forwards and backwards. Default 1F1B.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.OneForwardOneBackward;

    /// <summary>What the replicas average. Default: gradients.</summary>
    public AveragingChoice Averaging { get; init; } = new GradientAveraging();
}

/// <summary>The pipeline schedules.</summary>
public enum ScheduleKind
{
    /// <summary>All forwards, then all backwards (Huang et al. 2019).</summary>
    GPipe,

    /// <summary>After a warm-up, one forward and one backward in turn (Narayanan et al. 2019).</summary>
    OneForwardOneBackward,
}

/// <summary>When a job's state is saved.</summary>
public sealed record CheckpointPlan
{
    /// <summary>Steps from one checkpoint to the next, ≥ 1; null for the default of the place where it runs.</summary>
    public long? EverySteps { get; init; }

    /// <summary>How many stay, ≥ 1. Default 2.</summary>
    public int Keep { get; init; } = 2;
}
