using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Links;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Data;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// One generation of one job on one node: makes the layers that are placed here, and the links to other nodes; passes
/// the job's orders on; supervises; and takes everything down again. A layer that fails is started anew as an empty shell
/// that drops what still comes, and the job hears of it.
/// <para>
/// In the order it happens: prepared (data checked, frames taken), begun (links open, state here, layers connected),
/// released (1: no frame is delivered any more; 2: all actors say that they send nothing more; 3: the mailboxes are
/// emptied; 4: the links have sent or dropped all they hold).
/// </para>
/// </summary>
public sealed class GenerationActor : ReceiveActor
{
    private readonly NodeEquipment _node;
    private readonly PrepareGeneration _prepare;
    private readonly IActorRef _job;
    private readonly ulong _jobHash;
    private readonly GenerationScope _scope;
    private readonly TrainingState _state;
    private readonly FrameReceiver _receiver;
    private readonly Lanes _lanes;
    private readonly AveragingMeter _averaging = new(Context.System.Scheduler);
    private readonly ImmutableDictionary<(int Replica, int Stage), StageMeter> _meters;
    private readonly GenerationLinks _links;
    private readonly List<IActorRef> _alive = [];
    private DataSet? _data;
    private LocalActors? _actors;
    private IActorRef? _releaseTo;
    private int _unconnected;
    private int _abandoned;
    private string? _refusal;
    private bool _isPrepared;
    private bool _hasBegun;

    /// <summary>Makes the actor, which prepares at once.</summary>
    /// <param name="node">What the node has.</param>
    /// <param name="prepare">The order.</param>
    /// <param name="job">Who gave it.</param>
    public GenerationActor(NodeEquipment node, PrepareGeneration prepare, IActorRef job)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(prepare);
        _node = node;
        _prepare = prepare;
        _job = job;
        _jobHash = JobHash.Of(prepare.JobId);
        _scope = new GenerationScope(prepare, node.Name);
        _state = new TrainingState(_scope.State, node.Pool);
        _receiver = new FrameReceiver(Self, _scope.State);
        _links = new GenerationLinks(Context, node, _scope);
        _lanes = Lanes.For(node.Threads, node.Pool, Math.Max(1, _scope.Pipelines.Length));
        _meters = _scope.Pipelines.ToImmutableDictionary(
            pipeline => pipeline, _ => new StageMeter(Context.System.Scheduler));
        Preparing();
    }

    /// <summary>How to make the actor.</summary>
    public static Props Props(NodeEquipment node, PrepareGeneration prepare, IActorRef job) =>
        Akka.Actor.Props.Create(() => new GenerationActor(node, prepare, job));

    private long Generation => _prepare.Generation;

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        LostTensors.AreGivenUpIn(Context.System);
        _node.Plane?.Prepare(_jobHash, Generation, _receiver);
        if (_scope.NeedsData)
        {
            _node.Data.Load(_prepare.Job, _prepare.DataRoot, Self);
        }
        else
        {
            Prepared();
        }
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _receiver.Close();
        _node.Plane?.Retire(_jobHash, Generation);
        _state.Dispose();
        _lanes.Dispose();
        base.PostStop();
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(
        maxNrOfRetries: -1,
        withinTimeMilliseconds: -1,
        exception =>
        {
            Report(exception);
            return exception is LayerException ? Directive.Restart : Directive.Stop;
        });

    private void Preparing()
    {
        Receive<DataLoaded>(loaded =>
        {
            var error = loaded.Error
                ?? (loaded.Data!.Fingerprint == _prepare.DataFingerprint ? null : OtherData(loaded.Data.Fingerprint));
            if (error is not null)
            {
                _refusal = error;
                Refuse();
                return;
            }

            _data = loaded.Data;
            Prepared();
        });
        Receive<PrepareGeneration>(_ =>
        {
            if (_isPrepared)
            {
                Prepared();
            }
            else if (_refusal is not null)
            {
                Refuse();
            }
        });
        Receive<BeginGeneration>(begin =>
        {
            if (_isPrepared && !_hasBegun)
            {
                _hasBegun = true;
                _links.Open(begin);
                BuildIfReady();
            }
            else if (_hasBegun)
            {
                _job.Tell(new StateArrives(Generation, _node.Name, _state.Taken));
            }
        });
        Receive<LinkOpened>(opened =>
        {
            _links.OnOpened(opened);
            BuildIfReady();
        });
        Receive<StatePart>(TakeState);
        Receive<Connected>(_ => OnConnected());
        InEveryState();
    }

    private void Running()
    {
        var orders = new GenerationOrders(_scope, _actors!, _job);
        Receive<Grant>(orders.ToReplicas);
        Receive<Evaluate>(orders.ToReplicas);
        Receive<CloseRound>(close => orders.ToLayers(close, Self));
        Receive<CaptureState>(capture => orders.Capture(capture, _links.Keeper));
        Receive<RoundClosed>(_job.Forward);
        Receive<Judged>(orders.ToReplica);
        Receive<TraceNonFinite>(orders.Trace);
        Receive<BeginGeneration>(_ => _job.Tell(new GenerationBegun(Generation, _node.Name)));
        InEveryState();
    }

    private void InEveryState()
    {
        Receive<LinkDown>(down =>
        {
            Report(down);
            if (down.Peer == _prepare.Keeper.Name)
            {
                // Nobody is there to end it: it ends itself.
                Self.Tell(new ReleaseGeneration(_prepare.JobId, Generation), ActorRefs.Nobody);
            }
        });
        Receive<PeerLost>(lost =>
        {
            // Who only keeps the state is no member: its own link tells of its end.
            if (_prepare.Members.Any(member => member.Name == lost.Peer))
            {
                _job.Tell(new LinkBroken(Generation, _node.Name, lost.Peer, lost.Reason));
            }
        });
        Receive<ReleaseGeneration>(_ => Release());

        // One that has failed for good is reported then; it will not answer when it is told to abandon.
        Receive<Terminated>(terminated => _alive.Remove(terminated.ActorRef));
        ReceiveAny(TensorsOf.Message);
    }

    private void Releasing()
    {
        Receive<ReleaseGeneration>(_ => _releaseTo = Sender);

        // Who is dead does not say that it has released: the job waits for it in vain unless it hears of it.
        Receive<LinkDown>(Report);
        Receive<Abandoned>(_ => OnAbandoned());
        Receive<Terminated>(OnTerminated);
        Receive<LinkClosed>(_links.OnClosed);
        ReceiveAny(TensorsOf.Message);
    }

    private string OtherData(string fingerprint) =>
        $"its data are others than those the job was submitted with: fingerprint {fingerprint}, not {_prepare.DataFingerprint}";

    private void Prepared()
    {
        _isPrepared = true;
        _job.Tell(new GenerationPrepared(Generation, _node.Name));
    }

    private void Refuse() => _job.Tell(new GenerationRefused(Generation, _node.Name, _refusal!));

    private void TakeState(StatePart part)
    {
        if (part.Generation != Generation)
        {
            part.Value.Dispose();
            return;
        }

        Guarded(() =>
        {
            _state.Add(part.Vector, part.Start, part.Value);
            BuildIfReady();
        });
    }

    private void BuildIfReady()
    {
        if (_hasBegun && _actors is null && _state.IsComplete && _links.AreOpen)
        {
            Guarded(Build);
        }
    }

    private void Build()
    {
        using var states = new LayerStates(_scope, _state, _node.Pool);
        try
        {
            var observer = _node.ObserverOf?.Invoke(_prepare.Job);
            _actors = new PipelineBuilder(_scope, _job, _data, _lanes, _meters, _averaging, observer).Build(Context, states);
        }
        finally
        {
            // Also those that were made before one failed.
            var links = _links.Actors.ToHashSet();
            _alive.AddRange(Context.GetChildren()
                .Where(child => !links.Contains(child))
                .OrderBy(child => child.Path.Name, StringComparer.Ordinal));
            _alive.ForEach(child => Context.Watch(child));
        }

        _state.Dispose();
        _receiver.Open(
            new FrameRoutes(_scope.Graph, _prepare.Job, _actors.Layers, _actors.Losses),
            [.. _prepare.Members.Select(member => member.Name)]);
        var connections = new Wiring(_scope, _actors, _links.To).All().ToList();
        _unconnected = connections.Count;
        foreach (var (actor, links) in connections)
        {
            actor.Tell(links);
        }
    }

    private void OnConnected()
    {
        _unconnected--;
        if (_unconnected == 0)
        {
            Become(Running);
            _job.Tell(new GenerationBegun(Generation, _node.Name));
        }
    }

    private void Release()
    {
        _releaseTo = Sender;
        _receiver.Close();
        Become(Releasing);
        foreach (var actor in _alive)
        {
            actor.Tell(new Abandon(Generation));
        }

        if (_alive.Count == 0)
        {
            CloseLinks();
        }
    }

    // Two turns: once all have said that they send nothing more, what is left in the mailboxes can be emptied.
    private void OnAbandoned()
    {
        _abandoned++;
        EndIfAbandoned();
    }

    private void EndIfAbandoned()
    {
        if (_abandoned == _alive.Count)
        {
            foreach (var actor in _alive)
            {
                actor.Tell(PoisonPill.Instance);
            }
        }
    }

    private void OnTerminated(Terminated terminated)
    {
        if (_alive.Remove(terminated.ActorRef))
        {
            if (_alive.Count == 0)
            {
                CloseLinks();
            }
            else
            {
                // One of those that were waited for has failed; behind the pills this changes nothing.
                EndIfAbandoned();
            }

            return;
        }

        _links.Remove(terminated.ActorRef);
        StopIfEmpty();
    }

    private void CloseLinks()
    {
        _links.Close();
        StopIfEmpty();
    }

    private void StopIfEmpty()
    {
        if (_alive.Count == 0 && _links.AreGone)
        {
            Context.Parent.Tell(new GenerationEnded(
                _releaseTo!, new GenerationReleased(Generation, _node.Name, Statistics())));
            Context.Stop(Self);
        }
    }

    private NodeStatistics Statistics() => new(
        _node.Name,
        _node.Description.ProcessId,
        [
            .. _scope.Pipelines.Select(pipeline => _meters[pipeline].Read(pipeline.Replica, pipeline.Stage)),
        ],
        _links.Statistics,
        _averaging.Bytes,
        _averaging.Rounds,
        _averaging.Time.TotalSeconds,
        _averaging.Overlaps);

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
#pragma warning disable CA1031 // Whatever it was: the job must hear of it, or it waits for ever.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Report(exception);
        }
    }

    private void Report(LinkDown down) =>
        _job.Tell(new LinkBroken(Generation, _node.Name, down.Peer, down.Reason));

    private void Report(Exception exception)
    {
        var (layer, step, cause) = exception is LayerException failed
            ? (failed.Layer, failed.Step, failed.InnerException!)
            : (_node.Name, _prepare.AfterStep, exception);
        _job.Tell(new LayerFailed(Generation, layer, step, $"{cause.GetType().Name}: {cause.Message}", IsFinal: false));
    }
}
