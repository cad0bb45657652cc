using System.Globalization;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Output;

/// <summary>An epoch in one line.</summary>
internal static class EpochLine
{
    public static string Of(EpochDone epoch) => string.Create(
        CultureInfo.InvariantCulture,
        $"epoch {epoch.Epoch} train loss {epoch.TrainLoss:G4}{(epoch.TestLoss is null ? "" : string.Create(CultureInfo.InvariantCulture, $" test loss {epoch.TestLoss:G4} test accuracy {epoch.TestAccuracy:P2}"))}");
}
