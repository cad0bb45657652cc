using Akka.Actor;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>How one generation follows another: the job is placed, drains and moves, pauses, loses nodes and goes back.</summary>
public sealed partial class JobActor
{
    private void PlaceOrMove()
    {
        if (_driver is null && _outcome is null)
        {
            Place();
        }
        else
        {
            MoveIfDrained();
        }
    }

    private void Place()
    {
        if (_records.IsKeeping)
        {
            // What follows what is being kept comes first; it places the job then.
            return;
        }

        if (_outcome is not null)
        {
            TellOver();
        }
        else if (_wish != Wish.None)
        {
            StopIfDrained();
        }
        else if (_nodes.Place(_placement) is { } placement)
        {
            StartGeneration(placement);
        }
        else if (_nodes.IsEveryOneExcluded && !HasTrained)
        {
            // Whoever has handed it in sees at once what is wrong. What has been trained is not given up for a node that
            // may be mended and started again.
            Fail(_nodes.WhyNone);
        }
        else if (!_hasToldThatItWaits)
        {
            _hasToldThatItWaits = true;
            _watch.Tell(new TrainingWaits(_progress.Step, _nodes.WhyNone));
        }
    }

    private void StartGeneration(Placement placement)
    {
        _reason ??= _placement is null ? "the job begins" : NodeChoice.ReasonToMove(_placement, placement);
        _placement = placement;
        _hasToldThatItWaits = false;
        _generation++;
        Context.Parent.Tell(new GenerationBegins(_run.Id, _generation));

        // Before any node hears of it: a number that was used is never used again, whatever ends this process.
        _records.Keep(new JobPlaced(_generation, _reason, _recoveries), () => Drive(placement));
    }

    private void Drive(Placement placement)
    {
        if (_outcome is not null || _wish != Wish.None)
        {
            Place();
            return;
        }

        // While the number was being kept a checkpoint may have been saved, and a node may have gone: layers and course
        // begin at one step, and only where there are nodes.
        if (_progress.State != _restore.Progress)
        {
            GoBack();
        }

        if (placement.Nodes.Any(name => _nodes.Find(name) is null))
        {
            Place();
            return;
        }

        var prepare = _nodes.Order(_generation, placement, _progress.Step, _restore.Origin);
        var state = _restore.Share();
        _driver = Context.ActorOf(GenerationDriver.Props(prepare, _reason!, _keeper, _layout, state), $"g{_generation}");
    }

    // Who comes reads its data while the others train on.
    private void Announce()
    {
        if (_isUp && _outcome is null && _wish == Wish.None && _nodes.Announced(_placement!) is { } announced)
        {
            var keeper = new Member(JobKeeper.Name, _keeper.Tensors, Self);
            var next = _nodes.Order(_generation, announced.Next, _progress.Step, _restore.Origin) with { Keeper = keeper };
            foreach (var node in announced.Nodes)
            {
                node.Agent.Tell(new AnnounceGeneration(next));
            }
        }
    }

    private bool MoveIfDrained()
    {
        var moves = IsDrained && !_progress.IsAtBoundary && _wish == Wish.None && _nodes.WantsToMove(_placement!);
        if (moves)
        {
            Drain(parametersOnly: false);
        }

        return moves;
    }

    // Before the first step and between two generations there is nothing to drain.
    private void StopIfDrained()
    {
        if (_outcome is not null)
        {
            return;
        }

        if (_driver is null)
        {
            End(_wish == Wish.Cancel
                ? new TrainingCancelled(_run.Id, _progress.Step)
                : new TrainingPaused(_run.Id, _restore.Progress.Step));
        }
        else if (_wish == Wish.Cancel && (IsDrained || !_hasStarted))
        {
            End(new TrainingCancelled(_run.Id, _progress.Step));
        }
        else if (_wish == Wish.Pause && IsDrained && !_progress.IsAtBoundary)
        {
            Drain(parametersOnly: false);
        }
    }

    // All that was granted is trained: the job waits for the state of all layers, to go on from it elsewhere or later.
    private void Drain(bool parametersOnly)
    {
        _clock.StopTraining();
        _isTraining = false;
        _drainedAt = _progress.Step;
        if (_restore.Progress == _progress.State)
        {
            OnDrained();
        }
        else
        {
            if (!parametersOnly)
            {
                Context.System.EventStream.Publish(new CheckpointBegins(_run.Id, _progress.Step));
            }

            _driver.Tell(new CaptureAll(_generation, _progress.Step, parametersOnly, TrainsOn: false));
        }
    }

    private void OnCaptured(AllCaptured captured)
    {
        if (_outcome is not null || _isEnding)
        {
            captured.State.Dispose();
        }
        else if (captured.ParametersOnly)
        {
            _final = captured.State;
            End(new FinalWeights(_run.Graph, _final).OutcomeOf(
                _run, _progress, _clock, _progress.Examples - _examplesBefore, _placement!.Nodes.Length, _recoveries));
        }
        else if (!WaitsAt(captured.AfterStep))
        {
            _checkpoints.OnTaken(captured.AfterStep, captured.State);
        }
        else
        {
            _checkpoints.Save(captured.State, _progress.State);
        }
    }

    private void OnSaved(long step, Checkpoints.CheckpointCommitted? committed)
    {
        // A job that moves goes on from what it has in memory, saved or not.
        var moves = WaitsAt(step) && _wish != Wish.Pause;
        if (!_checkpoints.OnDone(step, isTaken: committed is not null || moves))
        {
            return;
        }

        if (committed is not null)
        {
            _watch.Tell(new CheckpointSaved(step, committed.Bytes));
        }

        if (WaitsAt(step))
        {
            OnDrained();
        }
        else
        {
            GoOn();
        }
    }

    // One that ends waits for its last parameters alone, though a checkpoint of the same step may be under way.
    private bool WaitsAt(long step) => step == _drainedAt && !_progress.IsOver;

    private void OnDrained()
    {
        if (_wish == Wish.Pause)
        {
            End(new TrainingPaused(_run.Id, _restore.Progress.Step));
        }
        else
        {
            EndGeneration(null, isBroken: false);
        }
    }

    private void OnLayerFailed(LayerFailed failed)
    {
        if (_isEnding || _outcome is not null)
        {
            return;
        }

        if (failed.IsFinal || _failures.IsLast(failed.Layer, failed.Step, failed.Reason, _watch.ToldStep))
        {
            End(new TrainingFailed(_run.Id, failed.Step, failed.Layer, failed.Reason));
        }
        else
        {
            Recover($"layer {failed.Layer} failed at step {failed.Step}: {failed.Reason}");
        }
    }

    // What comes of one generation is one loss, however many have noticed it.
    private void Recover(string reason)
    {
        if (_driver is null || _isEnding || _outcome is not null)
        {
            return;
        }

        if (_isUp)
        {
            _recoveries++;
            Context.System.EventStream.Publish(new RecoveryBegins(_run.Id, _progress.Step, reason));
        }

        EndGeneration(reason, isBroken: true);
    }

    private void Probe(string? node)
    {
        if (node is not null && _keeper.Plane is { } plane && _nodes.Find(node) is { Description.Tensors: { } tensors } lost)
        {
            var self = Self;
            plane.Probe(tensors, outcome => self.Tell(new NodeProbed(lost.Agent, outcome)));
        }
    }

    private void EndGeneration(string? reason, bool isBroken)
    {
        _isTraining = false;
        if (!_isEnding)
        {
            // Also of a generation that never came up: what ended it is why the next one is there.
            _reason = reason ?? _reason;
            _isEnding = true;
            _clock.StopTraining();
            _driver.Tell(new EndGeneration(_generation, isBroken));
        }
    }

    private void OnOver(GenerationOver over)
    {
        _driver = null;
        (_isEnding, _isUp, _drainedAt) = (false, false, null);
        _watch.Add(over.Statistics);
        Context.System.EventStream.Publish(new GenerationMeasured(_run.Id, over.Statistics));
        foreach (var silent in over.Silent)
        {
            _nodes.OnSilent(silent);
        }

        if (_outcome is null)
        {
            GoBack();
        }

        Place();
    }

    private void GoBack()
    {
        _progress = _run.ProgressFrom(_restore.Progress);
        _boundary = new EpochBoundary(_run, _progress);
        _grants = new GrantWindow(_progress, _run.StepsAhead, _clock, _grants.Watched);
        _checkpoints.Restart(_progress);
    }
}
