namespace DistributedBackprop.Training.Pipeline;

/// <summary>
/// The part of a step in which a stage has nothing to do because the pipeline fills and drains: (p − 1) / (m + p − 1) for p
/// stages that cost the same and m micro-batches. The same for GPipe (Huang et al. 2019, section 2.3) and for 1F1B, which
/// differs in memory only (Narayanan et al. 2021, section 2.2, who relate the bubble to the time at work instead:
/// (p − 1) / m). The stages are those that run at the same time: on nodes of their own.
/// </summary>
public static class Bubble
{
    /// <summary>The part of a step, from 0 to below 1.</summary>
    /// <param name="stages">p, ≥ 1.</param>
    /// <param name="microBatches">m of one replica's step, ≥ 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of them is below 1.</exception>
    public static double Of(int stages, int microBatches)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stages, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(microBatches, 1);
        return (stages - 1) / (microBatches + (stages - 1.0));
    }
}
