using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Explain;

namespace DistributedBackprop.Actors.Explain;

/// <summary>
/// Has the layers of a job train some steps, and then watches them do one more: for each set of examples a generation of
/// its own, which begins with the state that the training left. Everything runs as in any other job, through
/// <see cref="GenerationDriver"/> and the node's agent; only that somebody looks on.
/// </summary>
public sealed class ExplainActor : ReceiveActor
{
    private readonly ExplainOrder _order;
    private readonly IActorRef _directory;
    private readonly JobKeeper _keeper;
    private readonly IActorRef _asker;
    private readonly PassObservers _observers;
    private readonly ImmutableArray<RecordedPass>.Builder _passes = ImmutableArray.CreateBuilder<RecordedPass>();
    private readonly StepsBefore _before;
    private NodesChanged? _nodes;
    private IActorRef? _driver;
    private TrainingState? _state;
    private StateOrigin _origin;
    private object? _failure;
    private long _generation;
    private bool _isAsked;
    private bool _isTrained;

    /// <summary>Makes the actor, which begins at once.</summary>
    /// <param name="order">What is to be shown.</param>
    /// <param name="directory">Knows the node.</param>
    /// <param name="keeper">What this process has.</param>
    /// <param name="observers">Those of the node.</param>
    /// <param name="asker">Is told <see cref="Explained"/>, <see cref="JobEndsBefore"/> or <see cref="NotExplained"/>.</param>
    public ExplainActor(
        ExplainOrder order, IActorRef directory, JobKeeper keeper, PassObservers observers, IActorRef asker)
    {
        ArgumentNullException.ThrowIfNull(order);
        ArgumentNullException.ThrowIfNull(keeper);
        (_order, _directory, _keeper, _observers, _asker) = (order, directory, keeper, observers, asker);
        _isTrained = order.Steps == 0;
        _before = new StepsBefore(order.Training, order.Steps);
        Receive<NodesChanged>(nodes =>
        {
            _nodes = nodes;
            Next();
        });
        Receive<GenerationUp>(_ =>
        {
            if (_isTrained)
            {
                _driver.Tell(new Grant(_generation, _order.Steps + 1, _order.Steps));
            }
            else
            {
                Follow(_before.Begin(_generation));
            }
        });

        // The watched step is over only when its recorder says so: the loss judges long before the last update.
        Receive<StepsJudged>(judged => Follow(_before.OnJudged(judged)), _ => !_isTrained);
        Receive<Evaluated>(evaluated => Follow(_before.OnEvaluated(evaluated)), _ => !_isTrained);
        Receive<RoundClosed>(closed => Follow(_before.OnRoundClosed(closed)), _ => !_isTrained);
        Receive<AllCaptured>(captured =>
        {
            TakeState(captured.State, StateOrigin.Full);
            _isTrained = true;
            EndGeneration();
        });
        Receive<PassRecorded>(recorded =>
        {
            _passes.Add(recorded.Pass);
            EndGeneration();
        });
        Receive<LayerFailed>(failed => Fail(failed.Layer, failed.Step, failed.Reason));
        Receive<GenerationBroken>(broken => Fail(null, _order.Steps, broken.Reason));
        Receive<NodeRefusedJob>(refused => Fail(null, _order.Steps, $"{refused.Node} is refused: {refused.Reason}"));
        Receive<GenerationOver>(_ => Next());

        // That all layers know of it changes nothing here: none is granted a further step.
        Receive<AllNoted>(_ => { });
    }

    /// <summary>How to make the actor.</summary>
    public static Props Props(
        ExplainOrder order, IActorRef directory, JobKeeper keeper, PassObservers observers, IActorRef asker) =>
        Akka.Actor.Props.Create(() => new ExplainActor(order, directory, keeper, observers, asker));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        if (_order.Training.Initial is { } initial)
        {
            var run = _order.Training;
            var layout = run.StateLayout().ParametersOnly;
            TakeState(InitialState.Of(initial, run.Graph, layout, _keeper.Pool), StateOrigin.Parameters);
        }

        _directory.Tell(new WatchNodes());
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _state?.Dispose();
        foreach (var run in _order.Watched)
        {
            _observers.Leave(run);
        }

        base.PostStop();
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(exception =>
    {
        var cause = exception is ActorInitializationException { InnerException: { } inner } ? inner : exception;
        End(new NotExplained(null, _order.Steps, $"{cause.GetType().Name}: {cause.Message}"));
        return Directive.Stop;
    });

    private void TakeState(TrainingState state, StateOrigin origin)
    {
        _state?.Dispose();
        (_state, _origin) = (state, origin);
    }

    private void Next()
    {
        if (_failure is not null)
        {
            End(_failure);
        }
        else if (!_isTrained)
        {
            Begin(_order.Training, 0);
        }
        else if (_passes.Count < _order.Watched.Length)
        {
            Begin(_order.Watched[_passes.Count], _order.Steps);
        }
        else
        {
            End(new Explained(_passes.ToImmutable()));
        }
    }

    private void Begin(JobRun run, long afterStep)
    {
        _generation++;
        if (_isTrained)
        {
            _observers.Watch(run, Self);
        }

        var choice = new NodeChoice(run);
        choice.OnChanged(_nodes!);
        if (choice.Place(null) is not { } placement)
        {
            End(new NotExplained(null, afterStep, choice.WhyNone));
            return;
        }

        _driver = Context.ActorOf(
            GenerationDriver.Props(
                choice.Order(_generation, placement, afterStep, _origin),
                "it is explained",
                _keeper,
                run.StateLayout(),
                _state?.Share()),
            $"g{_generation}");
    }

    private void Follow(IGenerationMessage? order)
    {
        if (order is not null)
        {
            _driver.Tell(order);
        }

        if (_before.HasDiverged)
        {
            Fail(new NotExplained(
                null, _before.Judged, "the test loss is not finite after it: training diverged (a lower learning rate may help)"));
        }
        else if (_before.EndedAt is { } end)
        {
            Fail(new JobEndsBefore(end));
        }
        else if (_before.AreTrained && !_isAsked)
        {
            _isAsked = true;
            _driver.Tell(new CaptureAll(_generation, _order.Steps, ParametersOnly: false, TrainsOn: false));
        }
    }

    private void Fail(string? layer, long step, string reason) => Fail(new NotExplained(layer, step, reason));

    private void Fail(object failure)
    {
        if (_failure is null)
        {
            _failure = failure;
            EndGeneration();
        }
    }

    private void EndGeneration() => _driver.Tell(new EndGeneration(_generation, IsBroken: false));

    private void End(object answer)
    {
        _asker.Tell(answer);
        Context.Stop(Self);
    }
}
