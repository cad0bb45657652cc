namespace DistributedBackprop.Training.Jobs;

/// <summary>
/// All that the future of a job's course depends on between two steps, apart from the job and its data: what a checkpoint
/// keeps of <see cref="JobProgress"/>.
/// </summary>
/// <param name="Step">The last step whose losses are all in, ≥ 0.</param>
/// <param name="Examples">Training examples so far.</param>
/// <param name="Epochs">Whole epochs that are decided.</param>
/// <param name="TrainLoss">Mean loss of the epoch so far; NaN before the first step.</param>
/// <param name="TestLoss">Of the last evaluation; null without one.</param>
/// <param name="TestAccuracy">Of the last evaluation; null without one.</param>
/// <param name="EpochLossSum">Losses of the epoch so far, added in the order of its steps.</param>
/// <param name="EpochExamples">Their examples.</param>
/// <param name="BestTestLoss">The smallest test loss of an epoch so far; +∞ before the first.</param>
/// <param name="EpochsWithoutBetter">Epochs since then: the patience used up.</param>
/// <param name="IsAtBoundary">Whether the end of the epoch, or of the job, waits to be decided.</param>
/// <param name="NeedsRound">Whether a last round of parameter averaging must follow before that.</param>
/// <param name="IsOver">Whether the job was decided to end.</param>
public sealed record ProgressState(
    long Step,
    long Examples,
    int Epochs,
    double TrainLoss,
    double? TestLoss,
    double? TestAccuracy,
    double EpochLossSum,
    long EpochExamples,
    double BestTestLoss,
    int EpochsWithoutBetter,
    bool IsAtBoundary,
    bool NeedsRound,
    bool IsOver)
{
    /// <summary>Of a job that has not begun.</summary>
    public static ProgressState Beginning { get; } =
        new(0, 0, 0, double.NaN, null, null, 0, 0, double.PositiveInfinity, 0, false, false, false);
}
