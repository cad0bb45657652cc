using System.Collections.Immutable;
using System.Text.Json;
using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Links;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// Runs one job: places it on the nodes that the directory knows, has its actors made there, grants steps in small
/// windows, has the test set judged at the end of each epoch, decides when it is over, and takes everything down again.
/// What to do is <see cref="JobProgress"/>'s and <see cref="Placement"/>'s to say; this actor sends it.
/// <para>
/// Where nodes come or want to go, it drains to the last step granted, takes in the state of all layers, and goes on from
/// it in a new generation.
/// </para>
/// </summary>
public sealed class JobActor : ReceiveActor, IWithTimers
{
    // Enough that no replica ever waits for this actor, and few enough that a cancelled job stops at once.
    private const long GrantWindow = 8;

    // How far a job may run ahead of whoever watches it.
    private const long WatchWindow = 4096;

    private const string RetryTimer = "retry";
    private const string DeadlineTimer = "deadline";

    private static readonly TimeSpan _retryEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _startDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _captureDeadline = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan _releaseDeadline = TimeSpan.FromSeconds(30);

    private readonly JobRun _run;
    private readonly IActorRef _directory;
    private readonly IActorRef _watcher;
    private readonly JobKeeper _keeper;
    private readonly JobProgress _progress;
    private readonly TrainingClock _clock;
    private readonly StateLayout _layout;
    private readonly StateCourier _courier;
    private readonly NodeChoice _nodes;
    private readonly ImmutableArray<GenerationStatistics>.Builder _statistics = ImmutableArray.CreateBuilder<GenerationStatistics>();
    private JobGeneration? _generation;
    private FrameReceiver? _receiver;
    private TrainingState? _state;
    private string? _refusal;
    private int _roundsOpen;
    private long _granted;
    private long _watched;
    private bool _hasStarted;
    private bool _isEvaluating;
    private bool _isCancelled;
    private bool _isOver;
    private TrainingEvent? _outcome;

    /// <summary>Makes the actor, which begins as soon as there are nodes.</summary>
    /// <param name="run">The job.</param>
    /// <param name="directory">Knows the nodes.</param>
    /// <param name="keeper">What this process has.</param>
    /// <param name="watcher">Who hears of the job.</param>
    public JobActor(JobRun run, IActorRef directory, JobKeeper keeper, IActorRef watcher)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(keeper);
        _run = run;
        _directory = directory;
        _keeper = keeper;
        _watcher = watcher;
        var plan = new StepPlan(run.Job.Training, run.Data.Train.Count);
        _progress = new JobProgress(run.Job, plan, Loss.Of(run.Job.Loss, run.Graph.Output), run.Data.Test?.Count);
        _clock = new TrainingClock(Context.System.Scheduler);
        _layout = StateLayout.Of(
            run.Graph,
            run.Job.Parallelism.Replicas,
            run.Job.Parallelism.Averaging is ParameterAveraging,
            Optimizer.Of(run.Job.Optimizer).Slots);
        _courier = new StateCourier(Context, keeper);
        _nodes = new NodeChoice(run);
        Placing();
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    private long Number => _generation?.Number ?? 0;

    /// <summary>How to make the actor.</summary>
    public static Props Props(JobRun run, IActorRef directory, JobKeeper keeper, IActorRef watcher) =>
        Akka.Actor.Props.Create(() => new JobActor(run, directory, keeper, watcher));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        if (_run.Initial is { } initial)
        {
            try
            {
                _state = InitialState.Of(initial, _run.Graph, _layout.ParametersOnly, _keeper.Pool);
            }
            catch (ArgumentException e)
            {
                End(new TrainingFailed(_run.Id, 0, null, e.Message));
                return;
            }
        }

        _directory.Tell(new WatchNodes());
        Expect(_startDeadline);
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _state?.Dispose();
        StopReceiving();

        // A job that ends in another way than its own still gives its layers up.
        if (_generation is { IsReleased: false } generation)
        {
            generation.TellAgents(new ReleaseGeneration(_run.Id, Number));
        }

        // Whoever watches must hear of the end, whatever it was.
        if (!_isOver)
        {
            _watcher.Tell(new JobOver(
                _outcome ?? new TrainingFailed(_run.Id, _progress.Step, null, "the job itself has stopped"), [], []));
        }

        base.PostStop();
    }

    // No generation: the nodes decide whether there can be one.
    private void Placing()
    {
        Receive<NodesChanged>(changed =>
        {
            _nodes.OnChanged(changed);
            PlaceIfPossible();
        });
        InEveryState();
    }

    private void Starting()
    {
        Receive<GenerationPrepared>(prepared =>
        {
            if (prepared.Generation == Number)
            {
                _generation!.OnPrepared(prepared.Node, Sender);
                if (_generation.IsPrepared)
                {
                    Begin(_generation);
                }
            }
        });
        Receive<GenerationRefused>(refused =>
        {
            if (refused.Generation == Number)
            {
                _nodes.Exclude(refused.Node, refused.Reason);
                _refusal = $"{refused.Node} is refused: {refused.Reason}";
                Release();
            }
        });
        Receive<GenerationBegun>(begun =>
        {
            if (begun.Generation == Number)
            {
                _generation!.OnBegun(begun.Node);
                if (_generation.HasBegun)
                {
                    BeginTraining(_generation);
                }
            }
        });
        WithGeneration();
    }

    private void Training()
    {
        Receive<StepJudged>(OnStepJudged);
        Receive<Evaluated>(evaluated =>
        {
            if (evaluated.Generation == Number && _isEvaluating
                && _progress.OnEvaluated(evaluated.Replica, evaluated.LossSum, evaluated.Correct))
            {
                _isEvaluating = false;
                OnTestJudged();
            }
        });
        Receive<RoundClosed>(closed => OnRoundClosed(closed));
        WithGeneration();
    }

    // The layers send their state: to go on elsewhere, or because this is the end.
    private void Capturing()
    {
        Receive<StatePart>(part =>
        {
            if (part.Generation != Number)
            {
                part.Value.Dispose();
                return;
            }

            _state!.Add(part.Vector, part.Start, part.Value);
            if (_state.IsComplete)
            {
                OnCaptured();
            }
        });
        WithGeneration();
    }

    private void Releasing()
    {
        Receive<GenerationReleased>(released =>
        {
            if (released.Generation == Number)
            {
                _generation!.OnReleased(released.Node, released.Statistics);
                OnReleasedIfAll();
            }
        });
        Receive<NodesChanged>(changed =>
        {
            _nodes.OnChanged(changed);
            foreach (var gone in _generation!.Prepare.Members.Where(member => !_nodes.Knows(member.Name)))
            {
                _generation.OnReleased(gone.Name, null);
            }

            OnReleasedIfAll();
        });
        Receive<Retry>(_ => _generation!.TellAgents(new ReleaseGeneration(_run.Id, Number)));
        Receive<Deadline>(_ => OnReleased());
        Receive<CancelJob>(_ => _isCancelled = true);
        ReceiveAny(TensorsOf.Message);
    }

    private void WithGeneration()
    {
        Receive<NodesChanged>(changed =>
        {
            _nodes.OnChanged(changed);
            if (_generation!.Prepare.Members.FirstOrDefault(member => !_nodes.Knows(member.Name)) is { } gone)
            {
                EndLost(gone.Name, "it has left the cluster");
            }
            else
            {
                MoveIfDrained();
            }
        });
        Receive<LinkBroken>(broken =>
        {
            if (broken.Generation == Number)
            {
                EndLost(broken.Peer, $"{broken.Node} says: {broken.Reason}");
            }
        });
        Receive<PeerLost>(lost =>
        {
            if (_generation!.IsMember(lost.Peer))
            {
                EndLost(lost.Peer, lost.Reason);
            }
        });
        Receive<LinkDown>(down => EndLost(down.Peer, down.Reason));
        Receive<Retry>(_ => _generation!.TellAgain());
        InEveryState();
    }

    private void InEveryState()
    {
        Receive<LayerFailed>(failed =>
        {
            if (failed.Generation == Number)
            {
                End(new TrainingFailed(_run.Id, failed.Step, failed.Layer, failed.Reason));
            }
        });
        Receive<Watched>(watched =>
        {
            _watched = Math.Max(_watched, watched.Step);
            GrantSteps();
        });
        Receive<CancelJob>(_ =>
        {
            _isCancelled = true;
            CancelIfDrained();
        });
        Receive<Deadline>(_ => End(new TrainingFailed(_run.Id, _progress.Step, null, _generation is null
            ? $"no node took the job within {_startDeadline.TotalSeconds:F0} s: {_nodes.WhyNone}"
            : $"nodes did not answer in time: {string.Join(", ", _generation.Silent)}")));
        ReceiveAny(TensorsOf.Message);
    }

    private void PlaceIfPossible()
    {
        if (_isCancelled)
        {
            End(new TrainingCancelled(_run.Id, _progress.Step));
        }
        else if (_nodes.Place(_generation?.Prepare.Placement) is { } placement)
        {
            StartGeneration(placement);
        }
        else if (_nodes.IsEveryOneExcluded)
        {
            End(new TrainingFailed(_run.Id, _progress.Step, null, _nodes.WhyNone));
        }
    }

    private void StartGeneration(Placement placement)
    {
        var reason = _refusal
            ?? (_generation is null ? "the job begins" : NodeChoice.ReasonToMove(_generation.Prepare.Placement, placement));
        _refusal = null;
        _generation = new JobGeneration(
            new PrepareGeneration(
                _run.Id,
                Number + 1,
                _run.Job,
                _run.Data.Fingerprint,
                _run.Data.Train.Count,
                placement,
                _nodes.MembersOf(placement),
                new Member(JobKeeper.Name, _keeper.Tensors, Self),
                _progress.Step,
                _state is null ? StateOrigin.Fresh : _hasStarted ? StateOrigin.Full : StateOrigin.Parameters),
            reason);
        _receiver = new FrameReceiver(Self);
        _keeper.Plane?.Prepare(JobKeeper.HashOf(_run.Id), Number, _receiver);
        Become(Starting);
        Expect(_startDeadline);
        Timers.StartPeriodicTimer(RetryTimer, Retry.Instance, _retryEvery);
        _generation.TellAgents(_generation.Prepare);
    }

    private void Begin(JobGeneration generation)
    {
        generation.TellAgain();
        if (_state is { } state)
        {
            foreach (var member in generation.Members)
            {
                _courier.Send(state, generation.Prepare, member);
            }
        }
    }

    private void BeginTraining(JobGeneration generation)
    {
        StopExpecting();
        _courier.Close();
        _state?.Dispose();
        _state = null;
        _granted = _progress.Step;
        Become(Training);
        if (!_hasStarted)
        {
            _hasStarted = true;
            Tell(new TrainingStarted(
                _run.Id, _run.Graph.Nodes.Length, _run.Graph.ParameterCount, generation.Prepare.Members.Length));
        }

        if (_keeper.Plane is not null || Number > 1)
        {
            Tell(new GenerationStarted(Number, _progress.Step, generation.Reason, generation.Prepare.Placement));
        }

        GoOn();
    }

    private void OnStepJudged(StepJudged judged)
    {
        if (judged.Generation != Number)
        {
            return;
        }

        foreach (var step in _progress.OnStepJudged(judged.Step, judged.Replica, judged.LossSum, judged.Correct))
        {
            Tell(new StepDone(step.Step, step.Epoch, step.Loss, step.Accuracy, _clock.RateOf(step.Examples)));
        }

        if (_progress.IsAtBoundary && !_isCancelled)
        {
            JudgeOrDecide();
        }
        else
        {
            GoOn();
        }
    }

    private void JudgeOrDecide()
    {
        if (_progress.NeedsEvaluation)
        {
            _clock.StopTraining();
            _isEvaluating = true;
            _generation!.TellActors(new Evaluate(Number, _progress.Step));
        }
        else
        {
            DecideBoundary();
        }
    }

    private void OnTestJudged()
    {
        if (double.IsFinite(_progress.TestLoss!.Value))
        {
            DecideBoundary();
        }
        else
        {
            EndDiverged(
                JsonNamingPolicy.CamelCase.ConvertName(_run.Job.Loss.ToString()),
                "the test loss is not finite after it: training diverged (a lower learning rate may help)");
        }
    }

    private void DecideBoundary()
    {
        var epoch = _progress.DecideBoundary();
        if (_progress.NeedsRound)
        {
            _roundsOpen = _run.Graph.Nodes.Length * _run.Job.Parallelism.Replicas;
            _generation!.TellActors(new CloseRound(Number, _progress.Step));
            return;
        }

        if (epoch is not null)
        {
            Tell(epoch);
        }

        // A job that is over is complete, whoever wants it stopped now.
        if (_progress.IsOver)
        {
            Capture(_layout.ParametersOnly, parametersOnly: true);
        }
        else
        {
            GoOn();
        }
    }

    private void OnRoundClosed(RoundClosed closed)
    {
        if (closed.Generation == Number && --_roundsOpen == 0)
        {
            _progress.OnRoundClosed();
            JudgeOrDecide();
        }
    }

    private void GoOn()
    {
        if (_isCancelled)
        {
            CancelIfDrained();
        }
        else if (!MoveIfDrained())
        {
            _clock.StartTraining();
            GrantSteps();
        }
    }

    private void GrantSteps()
    {
        if (!IsTraining || _isCancelled || _nodes.WantsToMove(_generation!.Prepare.Placement))
        {
            return;
        }

        var limit = Math.Min(
            _progress.GrantLimit,
            Math.Min(_progress.Step + GrantWindow, _watched + WatchWindow));

        // In halves of the window: a message to each replica for every step would only tell it what it knows.
        if (limit > _granted && (limit - _progress.Step < GrantWindow || _granted - _progress.Step <= GrantWindow / 2))
        {
            _granted = limit;
            _generation.TellActors(new Grant(Number, limit));
        }
    }

    private bool IsTraining => _generation is { HasBegun: true } && _outcome is null && _state is null;

    private bool IsDrained => IsTraining && !_progress.IsOver && !_isEvaluating && _progress.Step >= _granted;

    private bool MoveIfDrained()
    {
        if (!IsDrained || _progress.IsAtBoundary || _isCancelled || !_nodes.WantsToMove(_generation!.Prepare.Placement))
        {
            return false;
        }

        Capture(_layout, parametersOnly: false);
        return true;
    }

    private void CancelIfDrained()
    {
        if (IsDrained || (_generation is { HasBegun: false } or null && _outcome is null))
        {
            End(new TrainingCancelled(_run.Id, _progress.Step));
        }
    }

    private void Capture(StateLayout layout, bool parametersOnly)
    {
        _clock.StopTraining();
        _state = new TrainingState(layout, _keeper.Pool);
        Become(Capturing);
        Expect(_captureDeadline);
        _generation!.TellActors(new CaptureState(Number, _progress.Step, parametersOnly));
    }

    private void OnCaptured()
    {
        StopExpecting();
        if (_progress.IsOver)
        {
            Complete();
        }
        else
        {
            Release();
        }
    }

    private void Complete()
    {
        using var hash = new WeightsHash();
        foreach (var vector in _layout.ParametersOnly.Vectors)
        {
            // The last update is judged by no loss: without a test set only this sees it.
            if (!_state![vector].IsFinite)
            {
                EndDiverged(
                    _run.Graph.Nodes[vector.Layer].Name,
                    "its parameters are not finite after it: training diverged (a lower learning rate may help)");
                return;
            }

            hash.Append(_state[vector].Floats);
        }

        End(new TrainingCompleted(
            _run.Id,
            _progress.Step,
            _progress.Epochs,
            _progress.TrainLoss,
            _progress.TestLoss,
            _progress.TestAccuracy,
            _clock.SamplesPerSecond(_progress.Examples),
            _clock.WallSeconds,
            hash.ToString(),
            Nodes: _generation!.Prepare.Members.Length,
            Recoveries: 0));
    }

    private void EndDiverged(string layer, string reason) =>
        End(new TrainingFailed(_run.Id, _progress.Step, layer, reason));

    private void EndLost(string node, string reason) =>
        End(new TrainingFailed(_run.Id, _progress.Step, null, $"node {node} is lost: {reason}"));

    private void End(TrainingEvent outcome)
    {
        _outcome = outcome;
        if (_generation is null)
        {
            OnReleased();
        }
        else
        {
            Release();
        }
    }

    private void Release()
    {
        Become(Releasing);
        Expect(_releaseDeadline);
        Timers.StartPeriodicTimer(RetryTimer, Retry.Instance, _retryEvery);
        _courier.Close();
        _generation!.TellAgents(new ReleaseGeneration(_run.Id, Number));
    }

    private void OnReleasedIfAll()
    {
        if (_generation!.IsReleased)
        {
            OnReleased();
        }
    }

    private void OnReleased()
    {
        StopExpecting();
        StopReceiving();
        if (_generation is { } generation)
        {
            _statistics.Add(generation.Statistics);
        }

        if (_outcome is null)
        {
            Become(Placing);
            Expect(_startDeadline);
            PlaceIfPossible();
            return;
        }

        _isOver = true;
        _watcher.Tell(new JobOver(_outcome, _outcome is TrainingCompleted ? FinalParameters() : [], _statistics.ToImmutable()));
        Context.Stop(Self);
    }

    private ImmutableArray<Tensor> FinalParameters() =>
    [
        .. _run.Graph.Nodes.Select(node => node.Layer.Parameters.Length == 0
            ? Tensor.Rent(_keeper.Pool, new Shape(0))
            : _state![new StateVector(node.Index, 0, StateSlot.Parameters)].Share()),
    ];

    private void StopReceiving()
    {
        _receiver?.Close();
        if (_generation is not null)
        {
            _keeper.Plane?.Retire(JobKeeper.HashOf(_run.Id), Number);
        }
    }

    private void Expect(TimeSpan within) => Timers.StartSingleTimer(DeadlineTimer, Deadline.Instance, within);

    private void StopExpecting()
    {
        Timers.Cancel(DeadlineTimer);
        Timers.Cancel(RetryTimer);
    }

    private void Tell(TrainingEvent happened) => _watcher.Tell(new JobEvent(happened));

    private sealed class Retry : INoSerializationVerificationNeeded
    {
        public static Retry Instance { get; } = new();
    }

    private sealed class Deadline : INoSerializationVerificationNeeded
    {
        public static Deadline Instance { get; } = new();
    }
}
