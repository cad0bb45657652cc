using System.Text.Json;
using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// Runs one job: places it on the nodes that the directory knows, grants steps in small windows, has the test set judged
/// at the end of each epoch, has checkpoints taken beside training, and decides when it is over. What to do is
/// <see cref="JobProgress"/>'s and <see cref="Placement"/>'s to say; this actor sends it, through the
/// <see cref="GenerationDriver"/> of the generation that runs.
/// <para>
/// Every generation begins with the newest checkpoint. Where nodes come or want to go, the job drains to the last step
/// granted and takes a checkpoint there first; where one is lost, it goes back to the one there is. What is computed again
/// is told once.
/// </para>
/// </summary>
public sealed class JobActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _askSilentEvery = TimeSpan.FromSeconds(1);

    private readonly JobRun _run;
    private readonly IActorRef _directory;
    private readonly JobWatch _watch;
    private readonly JobKeeper _keeper;
    private readonly TrainingClock _clock;
    private readonly StateLayout _layout;
    private readonly NodeChoice _nodes;
    private readonly RestorePoint _restore;
    private readonly CheckpointFlow _checkpoints;
    private readonly StepWatch _steps;
    private readonly RepeatedFailures _failures = new();
    private readonly long _examplesBefore;
    private JobProgress _progress;
    private EpochBoundary _boundary;
    private GrantWindow _grants;
    private IActorRef? _driver;
    private Placement? _placement;
    private TrainingState? _final;
    private string? _reason;
    private TrainingEvent? _outcome;
    private Wish _wish;
    private long _generation;
    private int _recoveries;
    private long? _drainedAt;
    private bool _hasStarted;
    private bool _isUp;
    private bool _isEnding;
    private bool _isTraining;
    private bool _hasToldThatItWaits;

    /// <summary>Makes the actor, which begins as soon as there are nodes.</summary>
    /// <param name="run">The job.</param>
    /// <param name="directory">Knows the nodes.</param>
    /// <param name="keeper">What this process has.</param>
    /// <param name="watcher">Who hears of the job.</param>
    /// <param name="start">Where it begins; taken.</param>
    /// <exception cref="ArgumentException">This job was never there.</exception>
    public JobActor(JobRun run, IActorRef directory, JobKeeper keeper, IActorRef watcher, JobStart start)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(keeper);
        ArgumentNullException.ThrowIfNull(start);
        _run = run;
        _directory = directory;
        _keeper = keeper;
        _watch = new JobWatch(watcher, start.ToldStep, start.ToldEpochs);
        (_generation, _recoveries, _examplesBefore) = (start.LastGeneration, start.Recoveries, start.Progress.Examples);
        _clock = new TrainingClock(Context.System.Scheduler);
        _steps = new StepWatch(Context.System.Scheduler);
        _layout = run.StateLayout();
        _nodes = new NodeChoice(run);
        _restore = new RestorePoint(run, _layout, keeper.Pool, start);
        _checkpoints = new CheckpointFlow(run, keeper.Checkpoints, Self, _restore, Context.System.Scheduler);
        _progress = run.ProgressFrom(_restore.Progress);
        _boundary = new EpochBoundary(run, _progress);
        _grants = new GrantWindow(_progress, run.StepsAhead);
        FromGeneration();
        FromNodes();
        FromOthers();
    }

    private enum Wish
    {
        None,
        Pause,
        Cancel,
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    private bool IsDrained => _isTraining && !_progress.IsOver && !_boundary.IsEvaluating && _grants.IsDrained;

    /// <summary>How to make the actor.</summary>
    public static Props Props(
        JobRun run, IActorRef directory, JobKeeper keeper, IActorRef watcher, JobStart? start = null) =>
        Akka.Actor.Props.Create(() => new JobActor(run, directory, keeper, watcher, start ?? new JobStart()));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        try
        {
            _restore.Share()?.Dispose();
        }
        catch (ArgumentException e)
        {
            Fail(e.Message);
            return;
        }

        // Nobody else would ever end a job whose watcher is gone.
        Context.Watch(_watch.Watcher);
        _directory.Tell(new WatchNodes());
        if (_keeper.Plane is not null)
        {
            Timers.StartPeriodicTimer(Beat.Instance, Beat.Instance, StepDeadline.Beat);
            Timers.StartPeriodicTimer(AskSilent.Instance, AskSilent.Instance, _askSilentEvery);
        }
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        GiveUpStates();
        _watch.TellStopped(_outcome ?? new TrainingFailed(_run.Id, _progress.Step, null, "the job itself has stopped"));
        base.PostStop();
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(exception =>
    {
        _driver = null;
        var cause = exception is ActorInitializationException { InnerException: { } inner } ? inner : exception;
        if (_outcome is not null)
        {
            // It was to end the generation: nobody is left who would say that it has.
            TellOver();
        }

        Fail($"{cause.GetType().Name}: {cause.Message}");
        return Directive.Stop;
    });

    private void FromGeneration()
    {
        Receive<GenerationUp>(_ => OnUp());
        Receive<StepsJudged>(OnStepsJudged);
        Receive<Evaluated>(evaluated =>
        {
            _steps.OnSign();
            Follow(_boundary.OnEvaluated(evaluated, out var order), order);
        });
        Receive<RoundClosed>(closed =>
        {
            _steps.OnSign();
            Follow(_boundary.OnRoundClosed(closed, out var order), order);
        });
        Receive<AllNoted>(noted =>
        {
            _checkpoints.OnNoted(noted.AfterStep);
            GrantSteps();
        });
        Receive<AllCaptured>(OnCaptured);
        Receive<CheckpointCommitted>(committed => OnSaved(committed.Step, committed, null));
        Receive<CheckpointNotCommitted>(not => OnSaved(not.Step, null, not.Reason));
        Receive<NodeRefusedJob>(refused =>
        {
            _nodes.Exclude(refused.Node, refused.Reason);
            EndGeneration($"{refused.Node} is refused: {refused.Reason}", isBroken: false);
        });
        Receive<GenerationBroken>(broken =>
        {
            Probe(broken.LostNode);
            Recover(broken.Reason);
        });
        Receive<LayerFailed>(OnLayerFailed);
        Receive<GenerationOver>(OnOver);
    }

    private void FromNodes()
    {
        Receive<NodesChanged>(changed =>
        {
            _nodes.OnChanged(changed);
            _driver?.Tell(changed);
            PlaceOrMove();
        });
        Receive<NodeProbed>(probed =>
        {
            if (probed.Outcome == ProbeOutcome.Refused)
            {
                _directory.Tell(new NodeIsDead(probed.Agent));
            }
        });
        Receive<AskSilent>(_ =>
        {
            foreach (var agent in _nodes.Silent)
            {
                agent.Tell(new ReleaseGeneration(_run.Id, _generation));
            }
        });
        Receive<GenerationReleased>(released =>
        {
            // What it has of older ones ends when it prepares a newer one.
            if (_nodes.OnHeard(released.Node))
            {
                PlaceOrMove();
            }
        });
    }

    private void FromOthers()
    {
        Receive<Watched>(watched =>
        {
            _grants.OnWatched(watched.Step);
            GrantSteps();
        });
        Receive<PauseJob>(_ =>
        {
            _wish = _wish == Wish.None ? Wish.Pause : _wish;
            StopIfDrained();
        });
        Receive<CancelJob>(_ => Cancel());
        Receive<Terminated>(_ => Cancel());
        Receive<Beat>(_ => OnBeat());
    }

    private void Cancel()
    {
        _wish = Wish.Cancel;
        StopIfDrained();
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
                System.Globalization.CultureInfo.InvariantCulture,
                $"nothing was heard of step {_progress.Step + 1} for {_steps.SilentSeconds:F1} s"));
        }
    }

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
        else if (_nodes.IsEveryOneExcluded)
        {
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
        var prepare = _nodes.Order(_generation, placement, _progress.Step, _restore.Origin);
        var state = _restore.Share();
        _driver = Context.ActorOf(GenerationDriver.Props(prepare, _reason, _keeper, _layout, state), $"g{_generation}");
    }

    private void OnUp()
    {
        _isTraining = _outcome is null && !_isEnding;
        _isUp = true;
        _steps.OnSign();
        if (!_hasStarted)
        {
            _hasStarted = true;
            _watch.Tell(new TrainingStarted(_run.Id, _run.Graph.Nodes.Length, _run.Graph.ParameterCount, _placement!.Nodes.Length));
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
        foreach (var step in judged.Steps.SelectMany(at => _progress.OnStepJudged(at.Step, judged.Replica, at.LossSum, at.Correct)))
        {
            _watch.Tell(new StepDone(step.Step, step.Epoch, step.Loss, step.Accuracy, _clock.RateOf(step.Examples)));
        }

        if (_progress.Step == before)
        {
            return;
        }

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

        if (next is AfterBoundary.NextStep or AfterBoundary.End && _boundary.Epoch is { } epoch)
        {
            _watch.Tell(epoch);
        }

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
        if (!_isTraining || _wish != Wish.None || _nodes.WantsToMove(_placement!))
        {
            return;
        }

        if (_checkpoints.TryAsk(_grants.Granted, out var step))
        {
            _driver.Tell(new CaptureAll(_generation, step, ParametersOnly: false, TrainsOn: true));
        }

        if (_grants.TryGrant(_checkpoints.GrantLimit))
        {
            _driver.Tell(new Grant(_generation, _grants.Granted, _progress.Step));
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
            _driver.Tell(new CaptureAll(_generation, _progress.Step, parametersOnly, TrainsOn: false));
        }
    }

    private void OnCaptured(AllCaptured captured)
    {
        if (_outcome is not null || _isEnding)
        {
            captured.State.Dispose();
        }
        else if (captured.AfterStep != _drainedAt)
        {
            _checkpoints.OnTaken(captured.AfterStep, captured.State);
        }
        else if (_progress.IsOver)
        {
            _final = captured.State;
            End(new FinalWeights(_run.Graph, _final).OutcomeOf(
                _run, _progress, _clock, _progress.Examples - _examplesBefore, _placement!.Nodes.Length, _recoveries));
        }
        else
        {
            _checkpoints.Save(captured.State, _progress.State);
        }
    }

    private void OnSaved(long step, CheckpointCommitted? committed, string? whyNot)
    {
        // A job that moves goes on from what it has in memory, saved or not.
        var moves = step == _drainedAt && _wish != Wish.Pause;
        if (!_checkpoints.OnDone(step, isTaken: committed is not null || moves))
        {
            return;
        }

        if (committed is not null)
        {
            _watch.Tell(new CheckpointSaved(step, committed.Bytes));
        }

        if (step != _drainedAt)
        {
            GoOn();
        }
        else if (whyNot is not null && !moves)
        {
            Fail($"it cannot pause: its checkpoint is not saved: {whyNot}");
        }
        else
        {
            OnDrained();
        }
    }

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

        _recoveries += _isUp ? 1 : 0;
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

    private void OnOver(GenerationOver over)
    {
        _driver = null;
        (_isEnding, _isUp, _drainedAt) = (false, false, null);
        _watch.Add(over.Statistics);
        foreach (var silent in over.Silent)
        {
            _nodes.OnSilent(silent);
        }

        if (_outcome is null)
        {
            _progress = _run.ProgressFrom(_restore.Progress);
            _boundary = new EpochBoundary(_run, _progress);
            _grants = new GrantWindow(_progress, _run.StepsAhead, _grants.Watched);
            _checkpoints.Restart(_progress);
        }

        Place();
    }

    private void Fail(string reason, string? layer = null) => End(new TrainingFailed(_run.Id, _progress.Step, layer, reason));

    // The first reason is the one that is told.
    private void End(TrainingEvent outcome)
    {
        if (_outcome is not null)
        {
            return;
        }

        _outcome = outcome;
        if (_driver is null)
        {
            TellOver();
        }
        else
        {
            EndGeneration(null, isBroken: false);
        }
    }

    private void EndGeneration(string? reason, bool isBroken)
    {
        _isTraining = false;
        _reason ??= reason;
        if (!_isEnding)
        {
            _isEnding = true;
            _clock.StopTraining();
            _driver.Tell(new EndGeneration(_generation, isBroken));
        }
    }

    private void TellOver()
    {
        var final = _outcome is TrainingCompleted ? new FinalWeights(_run.Graph, _final!).Vectors(_keeper.Pool) : [];
        var goesOnFrom = _outcome is not TrainingPaused ? null : new JobStart
        {
            State = _restore.Origin == StateOrigin.Full ? _restore.Share() : null,
            Progress = _restore.Progress,
            LastGeneration = _generation,
            Recoveries = _recoveries,
            ToldStep = _watch.ToldStep,
            ToldEpochs = _watch.ToldEpochs,
        };
        GiveUpStates();
        Context.Parent.Tell(new JobEnds(_run.Id));
        _watch.TellOver(_outcome!, final, goesOnFrom);
        Context.Stop(Self);
    }

    private void GiveUpStates()
    {
        _final?.Dispose();
        _final = null;
        _restore.Dispose();
        _checkpoints.Dispose();
    }

    private sealed class Beat : INoSerializationVerificationNeeded
    {
        public static Beat Instance { get; } = new();
    }

    private sealed class AskSilent : INoSerializationVerificationNeeded
    {
        public static AskSilent Instance { get; } = new();
    }
}
