using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Training.Tests.Interpreter;

/// <summary>Whether a job ends early, decided at an epoch's end from the figures of all epochs so far.</summary>
public static class PlainStopRule
{
    /// <summary>Whether any condition is met.</summary>
    public static bool IsMet(StopRule rule, IReadOnlyList<PlainEpoch> epochs)
    {
        var last = epochs[^1];
        return last.TestAccuracy >= rule.TestAccuracy
            || last.TrainLoss <= rule.TrainLoss
            || (last.TestLoss is not null && EpochsWithoutLowerTestLoss(epochs) >= rule.Patience);
    }

    private static int EpochsWithoutLowerTestLoss(IReadOnlyList<PlainEpoch> epochs)
    {
        var best = double.PositiveInfinity;
        var without = 0;
        foreach (var epoch in epochs)
        {
            var isLower = epoch.TestLoss < best;
            best = isLower ? epoch.TestLoss!.Value : best;
            without = isLower ? 0 : without + 1;
        }

        return without;
    }
}
