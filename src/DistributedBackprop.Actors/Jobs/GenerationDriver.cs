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
    private static readonly TimeSpan _startSilence = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _captureSilence = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _releaseDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _brokenDeadline = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _lostDeadline = TimeSpan.FromSeconds(1);

    private readonly JobGeneration _generation;
    private readonly JobKeeper _keeper;
    private readonly StateIntake _intake;
    private readonly IActorRef _job = Context.Parent;
    private readonly FrameReceiver _receiver;
    private readonly StateCourier _courier;
    private TrainingState? _state;
    private IGenerationMessage? _order;
    private long? _awaitedStep;
    private CaptureAll? _postponed;
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
        _intake = new StateIntake(layout, keeper.Pool, prepare.Members.Select(member => member.Name));
        _state = state;
        _receiver = new FrameReceiver(Self, layout);
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
        LostTensors.AreGivenUpIn(Context.System);
        _keeper.Plane?.Prepare(JobKeeper.HashOf(JobId), Number, _receiver);
        if (_keeper.Plane is not null && WhyUnsendable() is { } reason)
        {
            _job.Tell(new GenerationBroken(Number, $"the job cannot be sent to its nodes: {reason}", IsFinal: true));
            return;
        }

        Timers.StartPeriodicTimer(RetryTimer, Retry.Instance, _retryEvery);
        Expect(_startSilence);
        _generation.TellAgain();
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _receiver.Close();
        _keeper.Plane?.Retire(JobKeeper.HashOf(JobId), Number);
        _state?.Dispose();
        _intake.Dispose();

        // However it ends: the nodes must not keep their layers, those neither that only seem to be lost.
        _generation.TellAgents(new ReleaseGeneration(JobId, Number));
        base.PostStop();
    }

    private void Starting()
    {
        OfThis<GenerationPrepared>(prepared =>
        {
            var wasPrepared = _generation.IsPrepared;
            ExpectMoreAfter(_generation.OnPrepared(prepared.Node, Sender));
            if (_generation.IsPrepared && !wasPrepared)
            {
                _generation.TellAgain();
                SendState();
            }
        });
        OfThis<StateArrives>(arrives => ExpectMoreAfter(_generation.OnTaken(arrives.Node, arrives.Elements)));
        OfThis<GenerationBegun>(begun =>
        {
            ExpectMoreAfter(_generation.OnBegun(begun.Node));
            if (_generation.HasBegun)
            {
                // The courier's links stay: where this process is a node too, their end would seem to be that node's.
                Timers.Cancel(DeadlineTimer);
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
        OfThis<Grant>(Order);
        OfThis<Evaluate>(Order);
        OfThis<CloseRound>(Order);
        OfThis<StepsJudged>(_job.Forward);
        OfThis<Evaluated>(_job.Forward);
        OfThis<RoundClosed>(_job.Forward);
        Receive<CaptureAll>(Capture);
        OfThis<CaptureNoted>(noted =>
        {
            if (_intake.OnNoted(noted.Node, noted.AfterStep))
            {
                _job.Tell(new AllNoted(Number, noted.AfterStep));
            }
        });
        OfThis<StatePart>(TakeIn);
        Receive<Retry>(_ =>
        {
            _generation.TellActors(_intake.Unanswered);
            _generation.TellActors(_order is null ? [] : [_order]);
        });
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

            LoseWhileReleasing(_generation.Unreachable(changed));
        });
        OfThis<LinkBroken>(broken => LoseWhileReleasing([broken.Peer]));
        Receive<LinkDown>(down => LoseWhileReleasing([down.Peer]));
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

            foreach (var silent in _generation.Unreachable(changed))
            {
                Lose(silent, "it does not answer");
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
            Number, _awaitedStep is { } step ? $"its state after step {step} did not come" : $"nodes did not answer in time: {string.Join(", ", _generation.Silent)}")));
        Receive<EndGeneration>(end => Release(end.IsBroken));
        ReceiveAny(TensorsOf.Message);
    }

    private void OfThis<TMessage>(Action<TMessage> handler)
        where TMessage : IGenerationMessage => Receive<TMessage>(message =>
        {
            if (message.Generation == Number)
            {
                handler(message);
            }
            else
            {
                TensorsOf.Message(message);
            }
        });

    // The newest one is told again until another one follows: nodes answer what they have answered before.
    private void Order(IGenerationMessage order)
    {
        _order = order;
        _generation.TellActors([order]);
    }

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

    private void Capture(CaptureAll capture)
    {
        if (!capture.TrainsOn)
        {
            _order = null;
            _awaitedStep = capture.AfterStep;
            Expect(_captureSilence);
        }

        // Where the step is being taken in for a checkpoint, its state is the one; unless the job ends there: then the round
        // has been closed since, and what the layers have now is another thing.
        var asked = _intake.AskedOf(capture.AfterStep);
        if (asked is not null && capture.ParametersOnly && !asked.ParametersOnly)
        {
            _postponed = capture;
        }
        else if (asked is null)
        {
            var order = new CaptureState(Number, capture.AfterStep, capture.ParametersOnly, capture.TrainsOn);
            _intake.Ask(order);
            _generation.TellActors([order]);
        }

        TellIfCaptured(capture.AfterStep);
    }

    private void TakeIn(StatePart part)
    {
        if (_awaitedStep is not null)
        {
            Expect(_captureSilence);
        }

        _intake.Add(part);
        TellIfCaptured(part.Step);
    }

    private void TellIfCaptured(long step)
    {
        var order = _intake.AskedOf(step);
        if (_intake.TakeComplete(step) is { } state)
        {
            if (step == _awaitedStep)
            {
                _awaitedStep = null;
                Timers.Cancel(DeadlineTimer);
            }

            _job.Tell(new AllCaptured(Number, step, order!.ParametersOnly, state));
            if (_postponed is { } postponed && postponed.AfterStep == step)
            {
                _postponed = null;
                Capture(postponed);
            }
        }
    }

    private void Release(bool isBroken)
    {
        Become(Releasing);
        Expect(isBroken ? _brokenDeadline : _releaseDeadline);
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
            Expect(_lostDeadline);
        }
    }

    private void End()
    {
        _job.Tell(new GenerationOver(Number, _generation.Statistics, _generation.Unreleased));
        Context.Stop(Self);
    }

    // Also one that has just released closes its connections; what it says is then on its way.
    private void LoseWhileReleasing(IEnumerable<string> nodes)
    {
        foreach (var node in nodes)
        {
            _generation.OnLost(node);
        }

        EndIfReleased();
    }

    // Whoever is lost is hardly waited for when the others release what they have.
    private void Lose(string node, string reason)
    {
        _generation.OnLost(node);
        _job.Tell(new GenerationBroken(Number, $"node {node} is lost: {reason}", node));
    }

    // A start takes as long as its state does; only where nothing moves any more it is given up.
    private void ExpectMoreAfter(bool progress)
    {
        if (progress)
        {
            Expect(_startSilence);
        }
    }

    private void Expect(TimeSpan within) => Timers.StartSingleTimer(DeadlineTimer, Deadline.Instance, within);

    private sealed class Retry : INoSerializationVerificationNeeded
    {
        public static Retry Instance { get; } = new();
    }

    private sealed class Deadline : INoSerializationVerificationNeeded
    {
        public static Deadline Instance { get; } = new();
    }
}
