namespace DistributedBackprop.Training.Jobs;

/// <summary>What the replicas of a job average.</summary>
public abstract record AveragingChoice;

/// <summary>Gradients, at every step: the replicas stay equal.</summary>
public sealed record GradientAveraging : AveragingChoice;

/// <summary>Parameters, now and then (local SGD; Stich 2019), with an outer optimizer (DiLoCo; Douillard et al. 2023).</summary>
/// <param name="Every">Steps from one round to the next, ≥ 1.</param>
/// <param name="Outer">The outer optimizer.</param>
/// <param name="InnerState">What becomes of the replicas' optimizer state in a round.</param>
public sealed record ParameterAveraging(long Every, OuterOptimizer Outer, InnerState InnerState = InnerState.Keep) : AveragingChoice;

/// <summary>Turns the replicas' mean change into the next parameters.</summary>
/// <param name="LearningRate">η: finite, &gt; 0. Default 1.</param>
/// <param name="Momentum">μ: 0 ≤ μ &lt; 1. Default 0.</param>
/// <param name="Nesterov">Whether the step looks ahead. Default false.</param>
public sealed record OuterOptimizer(double LearningRate = 1, double Momentum = 0, bool Nesterov = false);

/// <summary>What becomes of the replicas' optimizer state in a round.</summary>
public enum InnerState
{
    /// <summary>Each replica keeps its own.</summary>
    Keep,

    /// <summary>The replicas' mean.</summary>
    Average,

    /// <summary>It begins anew.</summary>
    Reset,
}
