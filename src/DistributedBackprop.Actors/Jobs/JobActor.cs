using System.Collections.Immutable;
using System.Text.Json;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// Runs one job: has its actors made, connects them, grants steps in small windows, has the test set judged at the end
/// of each epoch, decides when it is over, and takes everything down again. What to do is <see cref="JobProgress"/>'s to
/// say; this actor sends it.
/// </summary>
public sealed class JobActor : ReceiveActor
{
    private const long FirstGeneration = 1;

    // Enough that no replica ever waits for this actor, and few enough that a cancelled job stops at once.
    private const long GrantWindow = 8;

    // How far a job may run ahead of whoever watches it.
    private const long WatchWindow = 4096;

    private readonly JobRun _run;
    private readonly IActorRef _node;
    private readonly IActorRef _watcher;
    private readonly JobProgress _progress;
    private readonly TrainingClock _clock;
    private ImmutableArray<PipelineRefs> _replicas = [];
    private int _unconnected;
    private int _roundsOpen;
    private long _granted;
    private long _watched;
    private bool _isEvaluating;
    private bool _isCancelled;
    private LayerParameters?[] _final = [];
    private TrainingEvent? _outcome;

    /// <summary>Makes the actor, which begins at once.</summary>
    /// <param name="run">The job.</param>
    /// <param name="node">The agent of the node it runs on.</param>
    /// <param name="watcher">Who hears of it.</param>
    public JobActor(JobRun run, IActorRef node, IActorRef watcher)
    {
        _run = run;
        _node = node;
        _watcher = watcher;
        var plan = new StepPlan(run.Job.Training, run.Data.Train.Count);
        _progress = new JobProgress(run.Job, plan, Loss.Of(run.Job.Loss, run.Graph.Output), run.Data.Test?.Count);
        _clock = new TrainingClock(Context.System.Scheduler);
        Starting();
    }

    /// <summary>How to make the actor.</summary>
    public static Props Props(JobRun run, IActorRef node, IActorRef watcher) =>
        Akka.Actor.Props.Create(() => new JobActor(run, node, watcher));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        _node.Tell(new PrepareGeneration(FirstGeneration, _run.Job, _run.Graph, _run.Data, _run.Initial));
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        foreach (var layer in _final)
        {
            layer?.Parameters.Dispose();
        }

        // A job that ends in another way than its own still gives its layers up.
        if (_outcome is null)
        {
            _node.Tell(new ReleaseGeneration(FirstGeneration));
        }

        base.PostStop();
    }

    private void Starting()
    {
        Receive<GenerationPrepared>(prepared =>
        {
            _replicas = prepared.Replicas;
            var connections = Wiring.Of(FirstGeneration, _run.Graph, _replicas).ToList();
            _unconnected = connections.Count;
            foreach (var (actor, connect) in connections)
            {
                actor.Tell(connect);
            }
        });
        Receive<Connected>(_ =>
        {
            _unconnected--;
            if (_unconnected == 0)
            {
                Become(Training);
                Tell(new TrainingStarted(_run.Id, _run.Graph.Nodes.Length, _run.Graph.ParameterCount, 1));
                _clock.StartTraining();
                GrantSteps();
            }
        });
        InEveryState();
    }

    private void Training()
    {
        Receive<StepJudged>(OnStepJudged);
        Receive<Evaluated>(evaluated =>
        {
            if (_progress.OnEvaluated(evaluated.Replica, evaluated.LossSum, evaluated.Correct))
            {
                _isEvaluating = false;
                OnTestJudged();
            }
        });
        Receive<RoundClosed>(_ => OnRoundClosed());
        Receive<LayerParameters>(OnFinalParameters);
        InEveryState();
    }

    private void InEveryState()
    {
        Receive<LayerFailed>(failed => End(new TrainingFailed(_run.Id, failed.Step, failed.Layer, failed.Reason)));
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
    }

    private void Ending()
    {
        Receive<GenerationReleased>(_ =>
        {
            var final = _outcome is TrainingCompleted ? _final : [];
            _watcher.Tell(new JobOver(
                _outcome!,
                [.. final.Select(layer => layer!.Parameters)],
                [.. final.Select(layer => layer!.PeakInFlight)]));
            if (_outcome is TrainingCompleted)
            {
                _final = [];
            }

            Context.Stop(Self);
        });
        ReceiveAny(TensorsOf.Message);
    }

    private void OnStepJudged(StepJudged judged)
    {
        foreach (var step in _progress.OnStepJudged(judged.Step, judged.Replica, judged.LossSum, judged.Correct))
        {
            Tell(new StepDone(step.Step, step.Epoch, step.Loss, step.Accuracy, _clock.RateOf(step.Examples)));
        }

        if (_isCancelled)
        {
            CancelIfDrained();
        }
        else if (!_progress.IsAtBoundary)
        {
            GrantSteps();
        }
        else
        {
            JudgeOrDecide();
        }
    }

    private void JudgeOrDecide()
    {
        if (_progress.NeedsEvaluation)
        {
            _clock.StopTraining();
            _isEvaluating = true;
            TellReplicas(new Evaluate(FirstGeneration, _progress.Step));
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

    private void EndDiverged(string layer, string reason) =>
        End(new TrainingFailed(_run.Id, _progress.Step, layer, reason));

    private void DecideBoundary()
    {
        var epoch = _progress.DecideBoundary();
        if (_progress.NeedsRound)
        {
            CloseRound();
            return;
        }

        if (epoch is not null)
        {
            Tell(epoch);
        }

        // A job that is over is complete, whoever wants it stopped now.
        if (_progress.IsOver)
        {
            _clock.StopTraining();
            _final = new LayerParameters?[_run.Graph.Nodes.Length];
            foreach (var layer in _replicas[0].Layers)
            {
                layer.Tell(new CollectParameters(FirstGeneration, _progress.Step));
            }
        }
        else if (_isCancelled)
        {
            CancelIfDrained();
        }
        else
        {
            _clock.StartTraining();
            GrantSteps();
        }
    }

    private void CloseRound()
    {
        foreach (var layer in _replicas.SelectMany(pipeline => pipeline.Layers))
        {
            _roundsOpen++;
            layer.Tell(new CloseRound(FirstGeneration, _progress.Step));
        }
    }

    private void OnRoundClosed()
    {
        _roundsOpen--;
        if (_roundsOpen == 0)
        {
            _progress.OnRoundClosed();
            JudgeOrDecide();
        }
    }

    private void GrantSteps()
    {
        if (_replicas.IsEmpty || _isCancelled || _outcome is not null)
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
            TellReplicas(new Grant(FirstGeneration, limit));
        }
    }

    private void CancelIfDrained()
    {
        if (_outcome is null && !_progress.IsOver && !_isEvaluating && _progress.Step >= _granted)
        {
            End(new TrainingCancelled(_run.Id, _progress.Step));
        }
    }

    private void OnFinalParameters(LayerParameters layer)
    {
        _final[layer.Layer] = layer;
        if (_final.Any(other => other is null))
        {
            return;
        }

        // The last update is judged by no loss: without a test set only this sees it.
        if (Array.Find(_final, parameters => !parameters!.Parameters.Vector.IsFinite) is { } diverged)
        {
            EndDiverged(
                _run.Graph.Nodes[diverged.Layer].Name,
                "its parameters are not finite after it: training diverged (a lower learning rate may help)");
            return;
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
            HashOfFinal(),
            Nodes: 1,
            Recoveries: 0));
    }

    private string HashOfFinal()
    {
        using var hash = new WeightsHash();
        foreach (var parameters in _final)
        {
            hash.Append(parameters!.Parameters.Vector.Floats);
        }

        return hash.ToString();
    }

    private void End(TrainingEvent outcome)
    {
        _outcome = outcome;
        Become(Ending);
        _node.Tell(new ReleaseGeneration(FirstGeneration));
    }

    private void TellReplicas(object message)
    {
        foreach (var pipeline in _replicas)
        {
            pipeline.Replica.Tell(message);
        }
    }

    private void Tell(TrainingEvent happened) => _watcher.Tell(new JobEvent(happened));
}
