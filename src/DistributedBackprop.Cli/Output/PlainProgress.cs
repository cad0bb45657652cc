using System.Globalization;
using DistributedBackprop.Training.Jobs;
using Spectre.Console;

namespace DistributedBackprop.Cli.Output;

/// <summary>A line per epoch, for files and pipes; a job of few epochs also gets about ten lines of steps.</summary>
/// <param name="console">Standard error.</param>
/// <param name="run">What is trained.</param>
internal sealed class PlainProgress(IAnsiConsole console, RunDescription run) : IProgressView
{
    private const int Lines = 10;
    private readonly bool _tellsSteps = run.Plan.TotalSteps / Math.Max(1, run.Plan.StepsPerEpoch) < Lines;

    public void On(StepDone step)
    {
        if (_tellsSteps && step.Step % Math.Max(1, run.Plan.TotalSteps / Lines) == 0)
        {
            console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"epoch {step.Epoch} step {step.Step}/{run.Plan.TotalSteps} loss {step.Loss:G4} accuracy {step.Accuracy:P1}"));
        }
    }

    public void On(EpochDone epoch) => console.WriteLine(EpochLine.Of(epoch));

    public void Dispose()
    {
    }
}
