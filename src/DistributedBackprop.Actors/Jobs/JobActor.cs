using System.Text.Json;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// Runs one job: places it on the nodes that the directory knows, grants steps in small windows, has the test set judged
/// at the end of each epoch, and decides when it is over. What to do is <see cref="JobProgress"/>'s and
/// <see cref="Placement"/>'s to say; this actor sends it, through the <see cref="GenerationDriver"/> of the generation
/// that runs.
/// <para>
/// Where nodes come or want to go, it drains to the last step granted, takes in the state of all layers, and goes on from
/// it in a new generation.
/// </para>
/// </summary>
public sealed class JobActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _placeDeadline = TimeSpan.FromSeconds(60);

    private readonly JobRun _run;
    private readonly IActorRef _directory;
    private readonly JobWatch _watch;
    private readonly JobKeeper _keeper;
    private readonly JobProgress _progress;
    private readonly EpochBoundary _boundary;
    private readonly GrantWindow _grants;
    private readonly TrainingClock _clock;
    private readonly StateLayout _layout;
    private readonly NodeChoice _nodes;
    private IActorRef? _driver;
    private Placement? _placement;
    private TrainingState? _state;
    private string? _moveReason;
    private TrainingEvent? _outcome;
    private long _generation;
    private bool _hasStarted;
    private bool _isTraining;
    private bool _isCancelled;

    /// <summary>Makes the actor, which begins as soon as there are nodes.</summary>
    /// <param name="run">The job.</param>
    /// <param name="directory">Knows the nodes.</param>
    /// <param name="keeper">What this process has.</param>
    /// <param name="watcher">Who hears of the job.</param>
    /// <param name="lastGeneration">The last generation of an earlier run of the job; 0 where there was none.</param>
    public JobActor(JobRun run, IActorRef directory, JobKeeper keeper, IActorRef watcher, long lastGeneration)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(keeper);
        _run = run;
        _directory = directory;
        _keeper = keeper;
        _watch = new JobWatch(watcher);
        _generation = lastGeneration;
        _progress = run.NewProgress();
        _boundary = new EpochBoundary(run, _progress);
        _clock = new TrainingClock(Context.System.Scheduler);
        _grants = new GrantWindow(_progress, run.StepsAhead, _clock);
        _layout = run.StateLayout();
        _nodes = new NodeChoice(run);
        FromGeneration();
        FromOthers();
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    private bool IsDrained => _isTraining && !_progress.IsOver && !_boundary.IsEvaluating && _grants.IsDrained;

    private StateOrigin Origin => _state is null ? StateOrigin.Fresh : _hasStarted ? StateOrigin.Full : StateOrigin.Parameters;

    /// <summary>How to make the actor.</summary>
    public static Props Props(
        JobRun run, IActorRef directory, JobKeeper keeper, IActorRef watcher, long lastGeneration = 0) =>
        Akka.Actor.Props.Create(() => new JobActor(run, directory, keeper, watcher, lastGeneration));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        try
        {
            _state = _run.Initial is { } initial
                ? InitialState.Of(initial, _run.Graph, _layout.ParametersOnly, _keeper.Pool)
                : null;
        }
        catch (ArgumentException e)
        {
            Fail(e.Message);
            return;
        }

        // Nobody else would ever end a job whose watcher is gone.
        Context.Watch(_watch.Watcher);
        _directory.Tell(new WatchNodes());
        Timers.StartSingleTimer(NoNode.Instance, NoNode.Instance, _placeDeadline);
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _state?.Dispose();

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
        Receive<Evaluated>(evaluated => Follow(_boundary.OnEvaluated(evaluated, out var order), order));
        Receive<RoundClosed>(closed => Follow(_boundary.OnRoundClosed(closed, out var order), order));
        Receive<AllCaptured>(OnCaptured);
        Receive<NodeRefusedJob>(refused =>
        {
            _nodes.Exclude(refused.Node, refused.Reason);
            _moveReason = $"{refused.Node} is refused: {refused.Reason}";
            EndGeneration();
        });
        Receive<GenerationBroken>(broken => Fail(broken.Reason));
        Receive<LayerFailed>(failed => End(new TrainingFailed(_run.Id, failed.Step, failed.Layer, failed.Reason)));
        Receive<GenerationOver>(over =>
        {
            _driver = null;
            _watch.Add(over.Statistics);
            Place();
        });
    }

    private void FromOthers()
    {
        Receive<NodesChanged>(changed =>
        {
            _nodes.OnChanged(changed);
            _driver?.Tell(changed);
            if (_driver is null && _outcome is null)
            {
                Place();
            }
            else
            {
                MoveIfDrained();
            }
        });
        Receive<Watched>(watched =>
        {
            _grants.OnWatched(watched.Step);
            GrantSteps();
        });
        Receive<CancelJob>(_ => Cancel());
        Receive<Terminated>(_ => Cancel());
        Receive<NoNode>(_ => Fail($"no node took the job within {_placeDeadline.TotalSeconds:F0} s: {_nodes.WhyNone}"));
    }

    private void Cancel()
    {
        _isCancelled = true;
        CancelIfDrained();
    }

    private void Place()
    {
        if (_outcome is not null)
        {
            TellOver();
        }
        else if (_isCancelled)
        {
            End(new TrainingCancelled(_run.Id, _progress.Step));
        }
        else if (_nodes.Place(_placement) is { } placement)
        {
            StartGeneration(placement);
        }
        else if (_nodes.IsEveryOneExcluded)
        {
            Fail(_nodes.WhyNone);
        }
        else
        {
            Timers.StartSingleTimer(NoNode.Instance, NoNode.Instance, _placeDeadline);
        }
    }

    private void StartGeneration(Placement placement)
    {
        Timers.Cancel(NoNode.Instance);
        _moveReason ??= _placement is null ? "the job begins" : NodeChoice.ReasonToMove(_placement, placement);
        _placement = placement;
        _generation++;
        Context.Parent.Tell(new GenerationBegins(_run.Id, _generation));
        var prepare = _nodes.Order(_generation, placement, _progress.Step, Origin);
        var state = _state?.Share();
        _driver = Context.ActorOf(GenerationDriver.Props(prepare, _moveReason, _keeper, _layout, state), $"g{_generation}");
    }

    private void OnUp()
    {
        _state?.Dispose();
        _state = null;
        _grants.Restart();
        _isTraining = _outcome is null;
        if (!_hasStarted)
        {
            _hasStarted = true;
            _watch.Tell(new TrainingStarted(_run.Id, _run.Graph.Nodes.Length, _run.Graph.ParameterCount, _placement!.Nodes.Length));
        }

        if (_keeper.Plane is not null || _progress.Step > 0)
        {
            _watch.Tell(new GenerationStarted(_generation, _progress.Step, _moveReason!, _placement!));
        }

        _moveReason = null;
        GoOn();
    }

    private void OnStepsJudged(StepsJudged judged)
    {
        if (!_isTraining)
        {
            return;
        }

        foreach (var step in judged.Steps.SelectMany(at => _progress.OnStepJudged(at.Step, judged.Replica, at.LossSum, at.Correct)))
        {
            _watch.Tell(new StepDone(step.Step, step.Epoch, step.Loss, step.Accuracy, _clock.RateOf(step.Examples)));
        }

        if (_progress.IsAtBoundary && !_isCancelled && !_boundary.IsEvaluating)
        {
            _clock.StopTraining();
            Follow(_boundary.Enter(_generation, out var order), order);
        }
        else
        {
            GoOn();
        }
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
                Capture(parametersOnly: true);
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
        if (_isCancelled)
        {
            CancelIfDrained();
        }
        else if (_isTraining && !_boundary.IsEvaluating && !MoveIfDrained())
        {
            _clock.StartTraining();
            GrantSteps();
        }
    }

    private void GrantSteps()
    {
        if (_isTraining && !_isCancelled && !_nodes.WantsToMove(_placement!) && _grants.TryGrant())
        {
            _driver.Tell(new Grant(_generation, _grants.Granted));
        }
    }

    private bool MoveIfDrained()
    {
        var moves = IsDrained && !_progress.IsAtBoundary && !_isCancelled && _nodes.WantsToMove(_placement!);
        if (moves)
        {
            Capture(parametersOnly: false);
        }

        return moves;
    }

    // Before the first step and between two generations there is nothing to drain.
    private void CancelIfDrained()
    {
        if (IsDrained || _driver is null || !_hasStarted)
        {
            End(new TrainingCancelled(_run.Id, _progress.Step));
        }
    }

    private void Capture(bool parametersOnly)
    {
        _clock.StopTraining();
        _isTraining = false;
        _driver.Tell(new CaptureAll(_generation, _progress.Step, parametersOnly));
    }

    private void OnCaptured(AllCaptured captured)
    {
        _state?.Dispose();
        _state = captured.State;
        if (_outcome is not null)
        {
            return;
        }

        if (_progress.IsOver)
        {
            End(new FinalWeights(_run.Graph, _state).OutcomeOf(_run, _progress, _clock, _placement!.Nodes.Length));
        }
        else
        {
            EndGeneration();
        }
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
        _isTraining = false;
        Timers.Cancel(NoNode.Instance);
        if (_driver is null)
        {
            TellOver();
        }
        else
        {
            EndGeneration();
        }
    }

    private void EndGeneration()
    {
        _isTraining = false;
        _driver.Tell(new EndGeneration(_generation));
    }

    private void TellOver()
    {
        var final = _outcome is TrainingCompleted ? new FinalWeights(_run.Graph, _state!).Vectors(_keeper.Pool) : [];
        _state?.Dispose();
        _state = null;
        Context.Parent.Tell(new JobEnds(_run.Id));
        _watch.TellOver(_outcome!, final);
        Context.Stop(Self);
    }

    private sealed class NoNode : INoSerializationVerificationNeeded
    {
        public static NoNode Instance { get; } = new();
    }
}
