using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Data;

/// <summary>Which examples of an epoch's order a step takes.</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Offset">The first, counted in the epoch's order.</param>
/// <param name="Count">How many over all replicas: the batch size, or what is left of the epoch; ≥ 1.</param>
public readonly record struct Minibatch(long Epoch, int Offset, int Count);

/// <summary>
/// The steps of a job, counted from 1: an epoch has ⌈examples / batchSize⌉, the last of them short where it does not come
/// out even. Pure.
/// </summary>
public sealed class StepPlan
{
    private readonly int _examples;
    private readonly int _batchSize;

    /// <summary>Plans the steps of a job.</summary>
    /// <param name="training">How long, and in what portions.</param>
    /// <param name="examples">Examples of the training set, ≥ 1.</param>
    /// <exception cref="ArgumentException">Not exactly one of epochs and steps is given.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    /// <exception cref="OverflowException">There would be 2⁶³ steps or more.</exception>
    public StepPlan(TrainingPlan training, int examples)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentOutOfRangeException.ThrowIfLessThan(examples, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(training.BatchSize, 1, nameof(training));
        if (training.Epochs is null == training.Steps is null)
        {
            throw new ArgumentException("Exactly one of epochs and steps must be given.", nameof(training));
        }

        _examples = examples;
        _batchSize = training.BatchSize;
        StepsPerEpoch = ((examples - 1) / training.BatchSize) + 1;
        TotalSteps = training.Steps ?? checked(training.Epochs!.Value * (long)StepsPerEpoch);
        ArgumentOutOfRangeException.ThrowIfLessThan(TotalSteps, 1, nameof(training));
    }

    /// <summary>Steps of one epoch, ≥ 1.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>The last step, unless the job stops early.</summary>
    public long TotalSteps { get; }

    /// <summary>The epoch of a step, from 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The step is below 1.</exception>
    public long EpochOf(long step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        return (step - 1) / StepsPerEpoch;
    }

    /// <summary>The examples of a step.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The step is below 1.</exception>
    public Minibatch At(long step)
    {
        var epoch = EpochOf(step);
        var offset = (int)((step - 1) % StepsPerEpoch) * _batchSize;
        return new Minibatch(epoch, offset, Math.Min(_batchSize, _examples - offset));
    }

    /// <summary>Whether a step takes the last examples of its epoch, so that evaluation follows.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The step is below 1.</exception>
    public bool IsEpochEnd(long step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        return step % StepsPerEpoch == 0;
    }

    /// <summary>Whether a step is the job's last; it may lie within an epoch where the plan counts steps.</summary>
    public bool IsLast(long step) => step == TotalSteps;
}
