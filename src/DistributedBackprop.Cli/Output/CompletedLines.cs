using System.Globalization;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Output;

/// <summary>The result of a job, for people.</summary>
internal static class CompletedLines
{
    /// <summary>A line for each value.</summary>
    public static IEnumerable<string> Of(TrainingCompleted completed)
    {
        yield return Line("steps", $"{completed.Steps:N0} ({completed.Epochs:N0} epochs)");
        yield return Line("train loss", $"{completed.TrainLoss:G6}");
        if (completed.TestLoss is not null)
        {
            yield return Line("test loss", $"{completed.TestLoss:G6}");
            yield return Line("test accuracy", $"{completed.TestAccuracy:P2}");
        }

        yield return Line("examples/s", $"{completed.SamplesPerSecond:N0}");
        yield return Line("seconds", $"{completed.WallSeconds:F2}");
        yield return Line("weights sha256", $"{completed.WeightsSha256}");
    }

    private static string Line(string name, FormattableString value) => $"{name,-15} {value.ToString(CultureInfo.InvariantCulture)}";
}
