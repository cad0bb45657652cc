namespace DistributedBackprop.Training.Jobs;

/// <summary>
/// What is asked: one training job, checked and complete, every default filled in. With the data and the version of the
/// program it determines every bit of the trained weights.
/// </summary>
public sealed record TrainingJob
{
    /// <summary>The job's name: <c>[A-Za-z][A-Za-z0-9_-]*</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Keys every random number of the job: 0 … 2⁶³−1. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>What it learns from.</summary>
    public required DataSource Data { get; init; }

    /// <summary>The network.</summary>
    public required Model Model { get; init; }

    /// <summary>How wrong the network is.</summary>
    public required LossKind Loss { get; init; }

    /// <summary>How gradients turn into updates.</summary>
    public required OptimizerChoice Optimizer { get; init; }

    /// <summary>How long, and in what portions.</summary>
    public required TrainingPlan Training { get; init; }

    /// <summary>How the work is cut.</summary>
    public Parallelism Parallelism { get; init; } = new();

    /// <summary>When the state is saved.</summary>
    public CheckpointPlan Checkpoints { get; init; } = new();
}
