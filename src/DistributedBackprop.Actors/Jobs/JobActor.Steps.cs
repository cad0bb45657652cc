using System.Globalization;
using System.Text.Json;
using Akka.Actor;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>How a generation trains: steps are granted and judged, epochs end, checkpoints are asked for.</summary>
public sealed partial class JobActor
{
    private void OnUp()
    {
        _isTraining = _outcome is null && !_isEnding;
        _isUp = true;
        _steps.OnSign();
        foreach (var node in _placement!.Nodes)
        {
            _nodes.OnReady(node);
        }

        Announce();
        if (!_hasStarted)
        {
            _hasStarted = true;
            _watch.Tell(new TrainingStarted(_run.Id, _run.Graph.Nodes.Length, _run.Graph.ParameterCount, _placement.Nodes.Length));
        }

        if (_keeper.Plane is not null || _generation > 1)
        {
            _watch.Tell(new GenerationStarted(_generation, _progress.Step, _reason!, _placement!));
        }

        _reason = null;
        if (_isTraining && _progress.IsAtBoundary && _wish != Wish.Cancel)
        {
            EnterBoundary();
        }
        else
        {
            GoOn();
        }
    }

    private void OnStepsJudged(StepsJudged judged)
    {
        if (!_isTraining)
        {
            return;
        }

        var before = _progress.Step;
        var report = new StepReport();
        foreach (var step in judged.Steps.SelectMany(at => _progress.OnStepJudged(at.Step, judged.Replica, at.LossSum, at.Correct)))
        {
            var rate = _clock.RateOf(step.Examples);
            _watch.Tell(new StepDone(step.Step, step.Epoch, step.Loss, step.Accuracy, rate));
            report.Add(step.Examples, rate, step.Loss);
        }

        if (_progress.Step == before)
        {
            return;
        }

        Context.System.EventStream.Publish(report.SignalOf(_run.Id, _progress.Step));
        _steps.OnSteps((int)(_progress.Step - before));
        _checkpoints.SaveTaken();
        if (_progress.IsAtBoundary && _wish != Wish.Cancel)
        {
            EnterBoundary();
        }
        else
        {
            GoOn();
        }
    }

    private void EnterBoundary()
    {
        _clock.StopTraining();
        Follow(_boundary.Enter(_generation, out var order), order);
    }

    private void Follow(AfterBoundary next, IGenerationMessage? order)
    {
        if (order is not null)
        {
            _driver.Tell(order);
        }

        if (next is not (AfterBoundary.NextStep or AfterBoundary.End) || _boundary.Epoch is not { } epoch)
        {
            Proceed(next);
        }
        else if (epoch.Epoch <= _decidedEpochs)
        {
            _watch.Tell(epoch);
            Proceed(next);
        }
        else
        {
            // Nothing beyond it is granted before.
            var driver = _driver;
            _records.Keep(new EpochDecided(epoch, next == AfterBoundary.End, _watch.Announce(epoch)), () =>
            {
                _decidedEpochs = epoch.Epoch;
                _watch.Tell(epoch);
                if (_driver is null)
                {
                    Place();
                }
                else if (_driver.Equals(driver) && !_isEnding && _outcome is null)
                {
                    Proceed(next);
                }
            });
        }
    }

    private void Proceed(AfterBoundary next)
    {
        switch (next)
        {
            case AfterBoundary.NextStep:
                GoOn();
                break;
            case AfterBoundary.End:
                // A job that is over is complete, whoever wants it stopped now.
                Drain(parametersOnly: true);
                break;
            case AfterBoundary.Divergence:
                Fail(
                    "the test loss is not finite after it: training diverged (a lower learning rate may help)",
                    JsonNamingPolicy.CamelCase.ConvertName(_run.Job.Loss.ToString()));
                break;
        }
    }

    private void GoOn()
    {
        if (_wish != Wish.None)
        {
            StopIfDrained();
        }
        else if (_isTraining && !_boundary.IsEvaluating && !MoveIfDrained())
        {
            _clock.StartTraining();
            GrantSteps();
        }
    }

    private void GrantSteps()
    {
        if (!_isTraining || _records.IsKeeping || _wish != Wish.None || _nodes.WantsToMove(_placement!))
        {
            return;
        }

        if (_checkpoints.TryAsk(_grants.Granted, out var step))
        {
            Context.System.EventStream.Publish(new CheckpointBegins(_run.Id, step));
            _driver.Tell(new CaptureAll(_generation, step, ParametersOnly: false, TrainsOn: true));
        }

        if (_grants.TryGrant(_checkpoints.GrantLimit))
        {
            _driver.Tell(new Grant(_generation, _grants.Granted, _progress.Step));
        }
    }

    private void OnBeat()
    {
        var isWaiting = _isTraining && (_boundary.IsEvaluating || _progress.IsOver || !_grants.IsDrained);
        var asLongAs = _boundary.IsEvaluating
            ? 1 + ((_run.Data.Test?.Count ?? 0) / _run.Job.Training.BatchSize)
            : 1;
        if (_steps.OnBeat(isWaiting, asLongAs))
        {
            Recover(string.Create(
                CultureInfo.InvariantCulture,
                $"nothing was heard of step {_progress.Step + 1} for {_steps.SilentSeconds:F1} s"));
        }
    }
}
