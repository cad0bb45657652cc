using System.Diagnostics;
using System.Globalization;
using DistributedBackprop.Training.Jobs;
using Spectre.Console;

namespace DistributedBackprop.Cli.Output;

/// <summary>A live line: epoch, step, loss, accuracy, examples per second, time left.</summary>
internal sealed class LiveProgress : IProgressView
{
    private static readonly TimeSpan _refresh = TimeSpan.FromMilliseconds(100);

    private readonly RunDescription _run;
    private readonly IAnsiConsole _console;
    private readonly TaskCompletionSource _over = new();
    private readonly Task _shown;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private ProgressTask? _task;
    private TimeSpan _last;
    private long _lastStep;

    public LiveProgress(IAnsiConsole console, RunDescription run)
    {
        _run = run;
        _console = console;
        var started = new TaskCompletionSource();
        _shown = console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                _task = context.AddTask("begins", maxValue: run.Plan.TotalSteps);
                started.SetResult();
                await _over.Task;
            });
        started.Task.Wait(TimeSpan.FromSeconds(5));
    }

    public void On(StepDone step)
    {
        var now = _clock.Elapsed;
        if (_task is null || now - _last < _refresh)
        {
            return;
        }

        var rate = (step.Step - _lastStep) * _run.Job.Training.BatchSize / (now - _last).TotalSeconds;
        _last = now;
        _lastStep = step.Step;
        _task.Description = string.Create(
            CultureInfo.InvariantCulture,
            $"epoch {step.Epoch}{(_run.Job.Training.Epochs is { } epochs ? $"/{epochs}" : "")} step {step.Step} loss {step.Loss:G4} accuracy {step.Accuracy:P1} {rate:N0}/s").EscapeMarkup();
        _task.Value = step.Step;
    }

    public void On(EpochDone epoch) => _console.WriteLine(EpochLine.Of(epoch));

    public void Dispose()
    {
        _over.TrySetResult();
        _shown.Wait(TimeSpan.FromSeconds(5));
    }
}
