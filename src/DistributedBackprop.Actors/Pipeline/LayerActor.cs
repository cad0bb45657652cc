using Akka.Actor;
using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Pipeline;

/// <summary>
/// One layer of one replica. It holds its weights; forward, it applies the layer and sends its output to its consumers;
/// backward, it adds their deltas, applies the chain rule and sends its own deltas to the layers before it; its gradient
/// complete, it updates with its peers and begins the next step, whatever the other layers are at.
/// <para>
/// It never asks whether it is first or last: the replica and the loss speak the same two messages. What it does next
/// is the schedule's to say; what comes early waits. In flight are at most the micro-batches of two steps.
/// </para>
/// </summary>
public sealed class LayerActor : PipelineActor
{
    private readonly LayerAssignment _assignment;
    private readonly LayerPeers _peers;
    private readonly Arrivals _activations;
    private readonly Arrivals _deltas;
    private readonly Dictionary<MicroBatchKey, int> _firstPositions = [];
    private readonly Dictionary<int, Pullback> _stash = [];
    private readonly Tensor?[] _inputDeltas;
    private readonly ReadOnlyMemory<bool> _inputDeltaWanted;
    private Connect? _links;
    private Parameters? _gradient;
    private readonly StateCaptures _captures = new();
    private (IActorRef Target, long AfterStep)? _closeRound;
    private long _closedAfter = -1;
    private bool _isClosing;
    private long _step;
    private int _examples;
    private int _position;
    private int _nextChunk;

    /// <summary>Makes the actor.</summary>
    /// <param name="generation">The placement it belongs to.</param>
    /// <param name="job">Who hears of failures.</param>
    /// <param name="assignment">What it is made of.</param>
    public LayerActor(long generation, IActorRef job, LayerAssignment assignment)
        : base(generation, job)
    {
        _assignment = assignment;
        _peers = LayerPeers.Of(assignment.Averaging, assignment, generation);
        _activations = new Arrivals(assignment.Node.Inputs.Length);
        _deltas = new Arrivals(assignment.Node.OutputEdges.Length);
        _step = assignment.AfterStep + 1;
        _inputDeltas = new Tensor?[assignment.Node.Inputs.Length];
        _inputDeltaWanted = assignment.Node.InputDeltaWanted.AsMemory();
    }

    /// <inheritdoc/>
    protected override string FailureName => _assignment.Node.Name;

    /// <inheritdoc/>
    protected override long CurrentStep => _step;

    private Layer Layer => _assignment.Node.Layer;

    /// <summary>How to make the actor.</summary>
    public static Props Props(long generation, IActorRef job, LayerAssignment assignment) =>
        Akka.Actor.Props.Create(() => new LayerActor(generation, job, assignment));

    /// <inheritdoc/>
    protected override void BeforeConnected() => OfGeneration<Restore>(_peers.Restore);

    /// <inheritdoc/>
    protected override void BecomeConnected(Connect links)
    {
        _links = links;
        _gradient = Parameters.Rent(_assignment.Workspace.Pool, Layer.Parameters);
        _peers.Connect(links.Peers);
        OfGeneration<Activation>(activation =>
        {
            _firstPositions[activation.Key] = activation.FirstPosition;
            _activations.Add(activation.Key, activation.Edge - _assignment.Node.FirstEdge, activation.Value);
            Advance();
        });
        OfGeneration<Delta>(delta =>
        {
            _deltas.Add(delta.Key, _assignment.Node.OutputEdges.IndexOf(delta.Edge), delta.Value);
            Advance();
        });
        OfGeneration<GradientReady>(OnReady);
        OfGeneration<ParametersReady>(OnReady);
        OfGeneration<Contribution>(contribution =>
        {
            _peers.OnContribution(contribution);
            Advance();
        });
        OfGeneration<UpdatedChunk>(chunk =>
        {
            _peers.OnUpdatedChunk(chunk);
            Advance();
        });
        OfGeneration<PartUpdated>(updated =>
        {
            _peers.OnPartUpdated(updated);
            Advance();
        });
        OfGeneration<CaptureState>(capture =>
        {
            _captures.Ask(capture, Sender);
            SendStateIfAsked();
        });
        OfGeneration<CloseRound>(close =>
        {
            if (close.AfterStep == _closedAfter)
            {
                Sender.Tell(new RoundClosed(Generation, _assignment.Node.Index, _assignment.Replica));
                return;
            }

            _closeRound = (Sender, close.AfterStep);
            Advance();
        });
        OfGeneration<TraceNonFinite>(Trace);
    }

    /// <inheritdoc/>
    protected override void ReleaseAll()
    {
        _activations.Dispose();
        _deltas.Dispose();
        foreach (var pullback in _stash.Values)
        {
            pullback.Dispose();
        }

        _stash.Clear();
        _peers.Dispose();
        _gradient?.Dispose();
        _gradient = null;
    }

    // Does whatever can be done, in the schedule's order.
    private void Advance()
    {
        do
        {
            SendStateIfAsked();
        }
        while (TryEvaluate() || TryTrain());

        CloseRoundIfAsked();
    }

    private void OnReady(PeerReady ready)
    {
        _peers.OnReady(ready);
        Advance();
    }

    private bool TryEvaluate()
    {
        // An evaluation sees the updates of its step and stands between two steps.
        var key = new MicroBatchKey(_step - 1, _nextChunk, false);
        if (_peers.IsBusy || _position != 0 || !_activations.IsComplete(key))
        {
            return false;
        }

        _assignment.Stage.Interrupt();
        Forward(key);
        _nextChunk++;
        return true;
    }

    private bool TryTrain()
    {
        if (_peers.IsBusy)
        {
            return false;
        }

        var operation = _assignment.Order[_position];
        var key = new MicroBatchKey(_step, operation.MicroBatch, true);
        if (!(operation.IsForward ? _activations : _deltas).IsComplete(key))
        {
            return false;
        }

        _assignment.Stage.Begin(_step);
        if (operation.IsForward)
        {
            Forward(key);
        }
        else
        {
            Backward(key);
        }

        _assignment.Stage.End();

        _nextChunk = 0;
        _position++;
        if (_position == _assignment.Order.Length)
        {
            _position = 0;
            _step++;
            _peers.Begin(_step - 1, _gradient!, _examples);
            _examples = 0;
        }

        return true;
    }

    private void Forward(MicroBatchKey key)
    {
        _firstPositions.Remove(key, out var firstPosition);
        var (output, pullback) = Apply(key, firstPosition);
        if (pullback is not null)
        {
            _stash.Add(key.Index, pullback);
            _assignment.Stage.Holds(_assignment.Node.Index, _stash.Count);
        }

        var links = _links!.Forward;
        for (var i = 0; i < links.Length; i++)
        {
            // The last consumer gets the output itself, those before it shares of it.
            var value = i == links.Length - 1 ? output : output.Share();
            links[i].Target.Tell(new Activation(Generation, key, _assignment.Replica, links[i].Edge, firstPosition, value));
        }
    }

    private (Tensor Output, Pullback? Pullback) Apply(MicroBatchKey key, int firstPosition)
    {
        var inputs = _activations.Take(key);
        _examples += key.IsTraining ? inputs[0].Shape[0] : 0;
        try
        {
            var parameters = key.IsTraining ? _peers.Parameters : _peers.RoundParameters;
            var (output, pullback) = Layer.Forward(
                parameters, inputs, new ForwardPass(_assignment.Workspace, key.IsTraining, key.Step, firstPosition));
            _assignment.Observer?.OnForward(key, _assignment.Node, inputs, parameters, output, pullback);
            return (output, pullback);
        }
        finally
        {
            foreach (var input in inputs)
            {
                input.Dispose();
            }

            _activations.GiveBack(inputs);
        }
    }

    private void Backward(MicroBatchKey key)
    {
        _assignment.Meter.Backward(_assignment.Replica, _assignment.Node.Index);
        var deltas = _deltas.Take(key);
        _assignment.Observer?.OnDeltas(key, _assignment.Node, deltas);
        var delta = DeltaSum.InGraphOrder(deltas);
        _assignment.Observer?.OnDelta(key, _assignment.Node, delta);
        _deltas.GiveBack(deltas);
        _stash.Remove(key.Index, out var pullback);
        using (pullback)
        {
            pullback!.Apply(
                delta,
                new BackwardPass(_assignment.Workspace, _gradient!, key.Index > 0, _inputDeltaWanted),
                _inputDeltas);
        }

        _assignment.Observer?.OnBackward(key, _assignment.Node, _gradient!);
        for (var input = 0; input < _inputDeltas.Length; input++)
        {
            if (_links!.Backward[input] is { } link)
            {
                link.Target.Tell(new Delta(Generation, key, _assignment.Replica, link.Edge, _inputDeltas[input]!));
            }
        }
    }

    // The job ends between two rounds: the parameters that are judged and saved are those of a last one.
    private void CloseRoundIfAsked()
    {
        if (_closeRound is not { } close || close.AfterStep != _step - 1 || _peers.IsBusy)
        {
            return;
        }

        if (!_isClosing)
        {
            _isClosing = true;
            _peers.CloseRound(close.AfterStep);
        }

        if (!_peers.IsBusy)
        {
            (_closeRound, _isClosing, _closedAfter) = (null, false, close.AfterStep);
            close.Target.Tell(new RoundClosed(Generation, _assignment.Node.Index, _assignment.Replica));
        }
    }

    // What the last update has written stands, and nobody writes what follows before this layer is ready.
    private void SendStateIfAsked()
    {
        if (!_peers.IsBusy)
        {
            _captures.SendDue(_step - 1, _peers);
        }
    }

    private void Trace(TraceNonFinite trace)
    {
        if (!_stash.TryGetValue(trace.Key.Index, out var pullback))
        {
            return;
        }

        // Only those that may have sent what is not finite: a finite branch beside them must not be blamed.
        var links = _links!.Backward;
        List<int> suspects = [.. Enumerable.Range(0, links.Length).Where(input => pullback.IsInputFinite(input) != true)];
        if (suspects.Exists(input => links[input] is null && pullback.IsInputFinite(input) == false))
        {
            Fail("its input, the data, is not finite");
        }
        else if (suspects.TrueForAll(input => links[input] is null))
        {
            Fail("its output is not finite though its inputs are: training diverged (a lower learning rate may help)");
        }
        else
        {
            foreach (var link in suspects.Select(input => links[input]).OfType<Link>())
            {
                link.Target.Tell(trace with { Edge = link.Edge });
            }
        }

        void Fail(string reason) =>
            Job.Tell(new LayerFailed(Generation, _assignment.Node.Name, trace.Key.Step, reason, IsFinal: true));
    }
}
