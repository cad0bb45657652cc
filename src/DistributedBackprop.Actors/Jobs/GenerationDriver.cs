using System.Runtime.Serialization;
using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Links;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Actors.Jobs;

/// <summary>
/// One generation of a job, as seen from its coordinator: has all nodes prepare it, then begin; takes the job's orders to
/// them and their reports to the job; takes in the state of all layers; and has the nodes release it. What is not
/// answered is sent again, and everything has a deadline.
/// </summary>
internal sealed class GenerationDriver : ReceiveActor, IWithTimers
{
    private const string RetryTimer = "retry";
    private const string DeadlineTimer = "deadline";

    private static readonly TimeSpan _retryEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _startDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _captureDeadline = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan _releaseDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _lostDeadline = TimeSpan.FromSeconds(2);

    private readonly JobGeneration _generation;
    private readonly JobKeeper _keeper;
    private readonly StateLayout _layout;
    private readonly IActorRef _job = Context.Parent;
    private readonly FrameReceiver _receiver;
    private readonly StateCourier _courier;
    private TrainingState? _state;
    private long _capturedStep;
    private bool _waitsForLost;

    /// <param name="prepare">The order to the nodes; who keeps the state is filled in.</param>
    /// <param name="reason">Why there is a new generation, for people.</param>
    /// <param name="keeper">What this process has.</param>
    /// <param name="layout">The whole state of the job.</param>
    /// <param name="state">What the layers begin with; taken. Null: they begin afresh.</param>
    public GenerationDriver(
        PrepareGeneration prepare, string reason, JobKeeper keeper, StateLayout layout, TrainingState? state)
    {
        _generation = new JobGeneration(
            prepare with { Keeper = new Member(JobKeeper.Name, keeper.Tensors, Self) }, reason);
        _keeper = keeper;
        _layout = layout;
        _state = state;
        _receiver = new FrameReceiver(Self);
        _courier = new StateCourier(Context, keeper);
        Starting();
    }

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    private long Number => _generation.Number;

    private string JobId => _generation.Prepare.JobId;

    /// <summary>How to make the actor.</summary>
    public static Props Props(
        PrepareGeneration prepare, string reason, JobKeeper keeper, StateLayout layout, TrainingState? state) =>
        Akka.Actor.Props.Create(() => new GenerationDriver(prepare, reason, keeper, layout, state));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        _keeper.Plane?.Prepare(JobKeeper.HashOf(JobId), Number, _receiver);
        if (_keeper.Plane is not null && WhyUnsendable() is { } reason)
        {
            _job.Tell(new GenerationBroken(Number, $"the job cannot be sent to its nodes: {reason}"));
            return;
        }

        Expect(_startDeadline);
        _generation.TellAgain();
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _receiver.Close();
        _keeper.Plane?.Retire(JobKeeper.HashOf(JobId), Number);
        _state?.Dispose();

        // However it ends: the nodes must not keep their layers, those neither that only seem to be lost.
        _generation.TellAgents(new ReleaseGeneration(JobId, Number));
        base.PostStop();
    }

    private void Starting()
    {
        OfThis<GenerationPrepared>(prepared =>
        {
            var wasPrepared = _generation.IsPrepared;
            _generation.OnPrepared(prepared.Node, Sender);
            if (_generation.IsPrepared && !wasPrepared)
            {
                _generation.TellAgain();
                SendState();
            }
        });
        OfThis<GenerationBegun>(begun =>
        {
            _generation.OnBegun(begun.Node);
            if (_generation.HasBegun)
            {
                // The courier's links stay: where this process is a node too, their end would seem to be that node's.
                StopExpecting();
                _state?.Dispose();
                _state = null;
                Become(Running);
                _job.Tell(new GenerationUp(Number));
            }
        });
        OfThis<GenerationRefused>(refused => _job.Tell(new NodeRefusedJob(Number, refused.Node, refused.Reason)));
        Receive<Retry>(_ => _generation.TellAgain());
        InEveryState();
    }

    private void Running()
    {
        // Orders one way, reports the other.
        OfThis<Grant>(_generation.TellActors);
        OfThis<Evaluate>(_generation.TellActors);
        OfThis<CloseRound>(_generation.TellActors);
        OfThis<StepsJudged>(_job.Forward);
        OfThis<Evaluated>(_job.Forward);
        OfThis<RoundClosed>(_job.Forward);
        Receive<CaptureAll>(capture =>
        {
            _state = new TrainingState(capture.ParametersOnly ? _layout.ParametersOnly : _layout, _keeper.Pool);
            _capturedStep = capture.AfterStep;
            Become(Capturing);
            Expect(_captureDeadline);
            _generation.TellActors(new CaptureState(Number, capture.AfterStep, capture.ParametersOnly));
            TellIfCaptured();
        });
        InEveryState();
    }

    private void Capturing()
    {
        Receive<StatePart>(part =>
        {
            if (_state is { } state && part.Generation == Number && part.Step == _capturedStep)
            {
                state.Add(part.Vector, part.Start, part.Value);
                TellIfCaptured();
            }
            else
            {
                part.Value.Dispose();
            }
        });
        Receive<Deadline>(_ => _job.Tell(new GenerationBroken(
            Number, $"the state after step {_capturedStep} did not come within {_captureDeadline.TotalSeconds:F0} s")));
        InEveryState();
    }

    private void Releasing()
    {
        OfThis<GenerationReleased>(released =>
        {
            _generation.OnReleased(released.Node, released.Statistics);
            EndIfReleased();
        });
        Receive<NodesChanged>(changed =>
        {
            foreach (var gone in _generation.Gone(changed))
            {
                _generation.OnReleased(gone, null);
            }

            EndIfReleased();
        });
        Receive<Retry>(_ => _generation.TellAgents(new ReleaseGeneration(JobId, Number)));
        Receive<Deadline>(_ => End());
        ReceiveAny(TensorsOf.Message);
    }

    private void InEveryState()
    {
        Receive<NodesChanged>(changed =>
        {
            foreach (var gone in _generation.Gone(changed))
            {
                _generation.OnReleased(gone, null);
                Lose(gone, "it has left the cluster");
            }
        });
        OfThis<LinkBroken>(broken => Lose(broken.Peer, $"{broken.Node} says: {broken.Reason}"));
        Receive<PeerLost>(lost =>
        {
            if (_generation.IsMember(lost.Peer))
            {
                Lose(lost.Peer, lost.Reason);
            }
        });
        Receive<LinkDown>(down => Lose(down.Peer, down.Reason));
        OfThis<LayerFailed>(_job.Forward);
        Receive<Deadline>(_ => _job.Tell(new GenerationBroken(
            Number, $"nodes did not answer in time: {string.Join(", ", _generation.Silent)}")));
        Receive<EndGeneration>(_ => Release());
        ReceiveAny(TensorsOf.Message);
    }

    private void OfThis<TMessage>(Action<TMessage> handler)
        where TMessage : IGenerationMessage => Receive<TMessage>(message =>
        {
            if (message.Generation == Number)
            {
                handler(message);
            }
        });

    // What cannot be written remoting drops without a word: the job would wait in vain for answers.
    private string? WhyUnsendable()
    {
        try
        {
            new WireSerializer((ExtendedActorSystem)Context.System).ToBinary(_generation.Prepare);
            return null;
        }
        catch (SerializationException e)
        {
            return e.Message;
        }
    }

    private void SendState()
    {
        if (_state is { } state)
        {
            foreach (var member in _generation.Members)
            {
                _courier.Send(state, _generation.Prepare, member);
            }
        }
    }

    private void TellIfCaptured()
    {
        if (_state is { IsComplete: true } state)
        {
            StopExpecting();
            _state = null;
            _job.Tell(new AllCaptured(Number, state));
        }
    }

    private void Release()
    {
        Become(Releasing);
        Expect(_releaseDeadline);
        _receiver.Close();
        _courier.Close();
        _generation.TellAgents(new ReleaseGeneration(JobId, Number));
        EndIfReleased();
    }

    private void EndIfReleased()
    {
        if (_generation.IsReleased)
        {
            End();
        }
        else if (_generation.IsReleasedByOthers && !_waitsForLost)
        {
            // One that is alive answers at once, and keeps nothing; one that is dead must not hold up the job.
            _waitsForLost = true;
            Timers.StartSingleTimer(DeadlineTimer, Deadline.Instance, _lostDeadline);
        }
    }

    private void End()
    {
        _job.Tell(new GenerationOver(Number, _generation.Statistics));
        Context.Stop(Self);
    }

    // Whoever is lost is hardly waited for when the others release what they have.
    private void Lose(string node, string reason)
    {
        _generation.OnLost(node);
        _job.Tell(new GenerationBroken(Number, $"node {node} is lost: {reason}"));
    }

    private void Expect(TimeSpan within)
    {
        Timers.StartSingleTimer(DeadlineTimer, Deadline.Instance, within);
        Timers.StartPeriodicTimer(RetryTimer, Retry.Instance, _retryEvery);
    }

    private void StopExpecting()
    {
        Timers.Cancel(DeadlineTimer);
        Timers.Cancel(RetryTimer);
    }

    private sealed class Retry : INoSerializationVerificationNeeded
    {
        public static Retry Instance { get; } = new();
    }

    private sealed class Deadline : INoSerializationVerificationNeeded
    {
        public static Deadline Instance { get; } = new();
    }
}
