namespace DistributedBackprop.Training.Jobs;

/// <summary>Which optimizer a job uses, with its settings.</summary>
public abstract record OptimizerChoice
{
    /// <summary>The learning rate as a function of the step.</summary>
    public required LearningRate LearningRate { get; init; }

    /// <summary>How strongly every parameter is pulled to zero: finite, ≥ 0.</summary>
    public double WeightDecay { get; init; }
}

/// <summary>Stochastic gradient descent.</summary>
public sealed record SgdChoice : OptimizerChoice
{
    /// <summary>0 ≤ momentum &lt; 1. Default 0.</summary>
    public double Momentum { get; init; }

    /// <summary>Whether the step looks ahead (Nesterov 1983); needs momentum. Default false.</summary>
    public bool Nesterov { get; init; }
}

/// <summary>Adam (Kingma and Ba 2015).</summary>
public record AdamChoice : OptimizerChoice
{
    /// <summary>0 ≤ β₁ &lt; 1. Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>0 ≤ β₂ &lt; 1. Default 0.999.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment: finite, &gt; 0. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;
}

/// <summary>Adam with decoupled weight decay (Loshchilov and Hutter 2019). Default weight decay 0.01.</summary>
public sealed record AdamWChoice : AdamChoice;

/// <summary>A learning rate as a function of the step, which counts from 1.</summary>
public abstract record LearningRate;

/// <summary>One value, after an optional warm-up.</summary>
/// <param name="Value">Finite, ≥ 0.</param>
/// <param name="WarmupSteps">≥ 0. Default 0.</param>
public sealed record ConstantRate(double Value, long WarmupSteps = 0) : LearningRate;

/// <summary>A staircase: from · factor^⌊(step−1)/every⌋.</summary>
/// <param name="From">Finite, ≥ 0.</param>
/// <param name="Every">Steps of one stair, ≥ 1.</param>
/// <param name="Factor">Finite, &gt; 0.</param>
public sealed record StepRate(double From, long Every, double Factor) : LearningRate;

/// <summary>Half a cosine from one value to another over the steps of the job (Loshchilov and Hutter 2017).</summary>
/// <param name="From">Finite, ≥ 0.</param>
/// <param name="To">Finite, ≥ 0. Default 0.</param>
/// <param name="WarmupSteps">≥ 0. Default 0.</param>
public sealed record CosineRate(double From, double To = 0, long WarmupSteps = 0) : LearningRate;
