using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Actors.Nodes;
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
public sealed partial class JobActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _askAgainEvery = TimeSpan.FromSeconds(1);

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
    private readonly JobRecords _records;
    private readonly RepeatedFailures _failures = new();
    private readonly HashSet<IActorRef> _toldOfThePast = [];
    private readonly long _before;
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
    private int _decidedEpochs;
    private long? _drainedAt;
    private bool _hasStarted;
    private bool _isUp;
    private bool _isEnding;
    private bool _isTraining;
    private bool _hasToldThatItWaits;
    private bool _isOver;

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
        _watch = new JobWatch(watcher, start.ToldStep, start.ToldEpochs, start.LastEvent);
        (_generation, _recoveries, _examplesBefore) = (start.LastGeneration, start.Recoveries, start.Progress.Examples);
        _before = start.LastGeneration;
        _clock = new TrainingClock(Context.System.Scheduler, start.Progress.Step);
        _steps = new StepWatch(Context.System.Scheduler);
        _layout = run.StateLayout();
        _nodes = new NodeChoice(run);
        _restore = new RestorePoint(run, _layout, keeper.Pool, start);
        _progress = run.ProgressFrom(_restore.Progress);
        _checkpoints = new CheckpointFlow(
            run, start.Journal, Self, _restore, _progress, Context.System.Scheduler);
        _records = new JobRecords(start.Journal, Self);
        _decidedEpochs = start.DecidedEpochs;
        _boundary = new EpochBoundary(run, _progress);
        _grants = new GrantWindow(_progress, run.StepsAhead, _clock, Math.Max(start.ToldStep, _progress.Step));
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

    private bool IsDrained => _isTraining && !_records.IsKeeping && !_progress.IsOver && !_boundary.IsEvaluating && _grants.IsDrained;

    // Also where another process has trained it.
    private bool HasTrained => _restore.Progress.Step > 0 || _watch.ToldStep > 0;

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
            Timers.StartPeriodicTimer(AskAgain.Instance, AskAgain.Instance, _askAgainEvery);
        }
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        GiveUpStates();
        base.PostStop();
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(exception =>
    {
        _driver = null;
        if (_outcome is not null)
        {
            // It was to end the generation: nobody is left who would say that it has.
            TellOver();
        }

        Fail(FailedActor.ReasonOf(exception));
        return Directive.Stop;
    });

    private void FromGeneration()
    {
        Receive<GenerationUp>(_ => OnUp());
        Receive<StepsJudged>(OnStepsJudged);
        Receive<Evaluated>(evaluated =>
        {
            // Whoever has answered answers again while others are silent: that is no sign of those.
            if (_boundary.Awaits(evaluated))
            {
                _steps.OnSign();
                Follow(_boundary.OnEvaluated(evaluated, out var order), order);
            }
        });
        Receive<RoundClosed>(closed =>
        {
            if (_boundary.Awaits(closed))
            {
                _steps.OnSign();
                Follow(_boundary.OnRoundClosed(closed, out var order), order);
            }
        });
        Receive<AllNoted>(noted =>
        {
            _checkpoints.OnNoted(noted.AfterStep);
            GrantSteps();
        });
        Receive<AllCaptured>(OnCaptured);
        Receive<Checkpoints.CheckpointCommitted>(committed => OnSaved(committed.Step, committed));
        Receive<CheckpointNotCommitted>(not => OnSaved(not.Step, null));
        Receive<NodeRefusedJob>(refused =>
        {
            _nodes.Exclude(refused.Node, refused.Reason);
            EndGeneration($"{refused.Node} is refused: {refused.Reason}", isBroken: false);
        });
        Receive<GenerationBroken>(broken =>
        {
            if (broken.IsFinal)
            {
                Fail(broken.Reason);
                return;
            }

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
            EndThePast(changed);
            _driver?.Tell(changed);
            PlaceOrMove();
            Announce();
        });
        Receive<GenerationExpected>(expected =>
        {
            if (_nodes.OnReady(expected.Node))
            {
                PlaceOrMove();
            }
        });
        Receive<NodeProbed>(probed =>
        {
            if (probed.Outcome == ProbeOutcome.Refused)
            {
                _directory.Tell(new NodeIsDead(probed.Agent));
            }
        });
        Receive<AskAgain>(_ =>
        {
            foreach (var agent in _nodes.Silent)
            {
                agent.Tell(new ReleaseGeneration(_run.Id, _generation));
            }

            Announce();
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

    // Who was cut off while another actor had this job may have a generation of that one's, of which this one knows nothing.
    private void EndThePast(NodesChanged changed)
    {
        if (_before > 0)
        {
            ImmutableArray<IActorRef> agents = [.. changed.Nodes.Select(node => node.Agent).Where(_toldOfThePast.Add)];
            Context.Parent.Tell(new NodesLeftBehind(_run.Id, _before, agents));
        }
    }

    private void FromOthers()
    {
        Receive<Watched>(watched =>
        {
            _grants.OnWatched(watched.Step);
            GrantSteps();
        });
        Receive<ShareNewest>(_ => Sender.Tell(
            new NewestShared(_restore.Progress.Step, _restore.Origin == StateOrigin.Full ? _restore.Share() : null)));
        Receive<RecordKept>(_ => _records.OnKept());
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

    // The last word is kept before it is told.
    private void TellOver()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        switch (_outcome)
        {
            case TrainingCompleted completed:
                _records.Keep(() => new KeepCompletion(completed, _final!.Share()), TellOverNow);
                break;
            case TrainingPaused paused:
                _records.Keep(new JobPaused(paused.Step), TellOverNow);
                break;
            case TrainingCancelled cancelled:
                _records.Keep(new JobCancelled(cancelled.Step), TellOverNow);
                break;
            case TrainingFailed failed:
                _records.Keep(new JobFailed(failed.Step, failed.Layer, failed.Reason), TellOverNow);
                break;
        }
    }

    private void TellOverNow()
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
        Context.Parent.Tell(new NodesLeftBehind(_run.Id, _generation, [.. _nodes.Silent]));
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

    private sealed class AskAgain : INoSerializationVerificationNeeded
    {
        public static AskAgain Instance { get; } = new();
    }
}
