using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>
/// The far end of a replica's pipeline: compares the network's output with the target, says how wrong it is, and sends
/// the first delta back. It judges micro-batches in order, so that the sum of losses is one chain.
/// </summary>
public sealed class LossActor : PipelineActor, IWithTimers
{
    private static readonly TimeSpan _repeatEvery = TimeSpan.FromSeconds(1);

    private readonly int _replica;
    private readonly Loss _loss;
    private readonly Workspace _workspace;
    private readonly IPassObserver? _observer;
    private readonly Arrivals _outputs = new(1);
    private readonly Dictionary<MicroBatchKey, Targets> _targets = [];
    private Connect? _links;
    private MicroBatchKey _next;
    private double _sum;
    private long _correct;
    private bool _isChainOver;
    private Action? _repeat;

    /// <summary>Makes the actor.</summary>
    /// <param name="generation">The placement it belongs to.</param>
    /// <param name="job">Who hears of failures.</param>
    /// <param name="replica">Whose pipeline it ends.</param>
    /// <param name="loss">How wrong an output is.</param>
    /// <param name="workspace">What to compute with.</param>
    /// <param name="observer">Watches it; null in training.</param>
    public LossActor(
        long generation, IActorRef job, int replica, Loss loss, Workspace workspace, IPassObserver? observer = null)
        : base(generation, job)
    {
        _replica = replica;
        _loss = loss;
        _workspace = workspace;
        _observer = observer;
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <inheritdoc/>
    protected override string FailureName => _loss.Name;

    /// <inheritdoc/>
    protected override long CurrentStep => _next.Step;

    /// <summary>How to make the actor.</summary>
    public static Props Props(
        long generation, IActorRef job, int replica, Loss loss, Workspace workspace, IPassObserver? observer = null) =>
        Akka.Actor.Props.Create(() => new LossActor(generation, job, replica, loss, workspace, observer));

    /// <inheritdoc/>
    protected override void BecomeConnected(Connect links)
    {
        _links = links;

        // What is lost on the way to another node is said again, until the next minibatch shows that it has come.
        Timers.StartPeriodicTimer(Repeat.Instance, Repeat.Instance, _repeatEvery);
        Receive<Repeat>(_ => _repeat?.Invoke());
        OfGeneration<Activation>(activation =>
        {
            _outputs.Add(activation.Key, 0, activation.Value);
            Advance();
        });
        OfGeneration<Targets>(targets =>
        {
            // The first micro-batch of a step or an evaluation begins a new chain.
            if (targets.Key.Index == 0)
            {
                _next = targets.Key;
                _isChainOver = true;
                _repeat = null;
            }

            _targets.Add(targets.Key, targets);
            Advance();
        });
    }

    /// <inheritdoc/>
    protected override void ReleaseAll()
    {
        _outputs.Dispose();
        foreach (var targets in _targets.Values)
        {
            targets.Labels.Dispose();
        }

        _targets.Clear();
        _repeat = null;
        Timers.CancelAll();
    }

    private void Advance()
    {
        while (_targets.TryGetValue(_next, out var targets) && _outputs.IsComplete(_next))
        {
            var key = _next;
            _next = key with { Index = key.Index + 1 };
            _targets.Remove(key);
            var arrived = _outputs.Take(key);
            using (var outputs = arrived[0])
            using (targets.Labels)
            {
                _outputs.GiveBack(arrived);
                Judge(targets, outputs);
            }
        }
    }

    private void Judge(Targets targets, Tensor outputs)
    {
        var key = targets.Key;
        if (_isChainOver)
        {
            (_sum, _correct) = (0, 0);
        }

        _isChainOver = targets.IsLast;
        using var delta = key.IsTraining ? Tensor.Rent(_workspace.Pool, outputs.Shape) : null;
        _loss.Judge(outputs, targets.Labels.Integers, targets.StepExamples, ref _sum, ref _correct, delta);
        if (!double.IsFinite(_sum) && key.IsTraining)
        {
            FindWhereItBegan(key, outputs);
            return;
        }

        _observer?.OnJudged(key, targets.Labels.Integers, _sum, _correct, delta);
        if (delta is not null)
        {
            var link = _links!.Backward[0]!;
            link.Target.Tell(new Delta(Generation, key, _replica, link.Edge, delta.Share()));
        }

        if (targets.IsLast || !key.IsTraining)
        {
            Say(_links!.OtherEnd!, new Judged(Generation, key, _replica, _sum, _correct));
        }
    }

    private void Say(IActorRef target, IReplicaMessage message)
    {
        target.Tell(message);
        _repeat = () => target.Tell(message);
    }

    private void FindWhereItBegan(MicroBatchKey key, Tensor outputs)
    {
        if (outputs.IsFinite)
        {
            Job.Tell(new LayerFailed(
                Generation,
                _loss.Name,
                key.Step,
                $"the loss is {_sum:R} though the network's output is finite: it is too large",
                IsFinal: true));
        }
        else
        {
            var link = _links!.Backward[0]!;
            Say(link.Target, new TraceNonFinite(Generation, key, _replica, link.Edge));
        }
    }

    private sealed class Repeat : INoSerializationVerificationNeeded
    {
        public static Repeat Instance { get; } = new();
    }
}
