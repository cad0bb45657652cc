using Akka.Actor;
using Akka.Hosting;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Transport;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// A node's agent: has one child for each generation of a job that runs here. An earlier generation of a job ends before a
/// later one is prepared.
/// </summary>
public sealed class NodeActor : ReceiveActor
{
    private readonly NodeEquipment _equipment;
    private readonly Dictionary<string, Running> _running = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (PrepareGeneration Prepare, IActorRef Job)> _waiting = new(StringComparer.Ordinal);
    private IActorRef? _tellIdle;

    /// <summary>Makes the actor.</summary>
    /// <param name="equipment">What the node has.</param>
    public NodeActor(NodeEquipment equipment)
    {
        ArgumentNullException.ThrowIfNull(equipment);
        _equipment = equipment;
        var door = new NodeDoor(equipment.Life);
        Receive<DescribeNode>(_ => door.Describe(Sender, Self));
        Receive<NodeRefused>(door.Refuse);
        Receive<TellWhenIdle>(_ =>
        {
            _tellIdle = Sender;
            TellIfIdle();
        });
        Receive<AnnounceGeneration>(Announce);
        Receive<PrepareGeneration>(Prepare);
        Receive<ReleaseGeneration>(Release);
        Receive<Terminated>(OnTerminated);
        Receive<GenerationEnded>(ended =>
        {
            if (_running.Values.FirstOrDefault(running => running.Actor.Equals(Sender)) is { } running)
            {
                running.Farewell = ended;
            }
        });

        // Answers to what this actor has begun itself.
        Receive<GenerationReleased>(_ => { });
    }

    /// <summary>How to make the actor.</summary>
    public static Props Props(NodeEquipment equipment) => Akka.Actor.Props.Create(() => new NodeActor(equipment));

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(exception =>
    {
        if (_running.Values.FirstOrDefault(running => running.Actor.Equals(Sender)) is { } running)
        {
            var cause = exception is ActorInitializationException { InnerException: { } inner } ? inner : exception;
            running.Job.Tell(new LayerFailed(
                running.Generation, _equipment.Name, 0, $"{cause.GetType().Name}: {cause.Message}", IsFinal: false));
        }

        return Directive.Stop;
    });

    private void Announce(AnnounceGeneration announced)
    {
        var name = $"{JobHash.Of(announced.Next.JobId):x16}-next";
        if (Context.Child(name).IsNobody())
        {
            Context.ActorOf(AnnouncedActor.Props(_equipment, announced.Next, Sender), name);
        }
    }

    private void Prepare(PrepareGeneration prepare)
    {
        if (!_running.TryGetValue(prepare.JobId, out var running))
        {
            Start(prepare, Sender);
        }
        else if (prepare.Generation == running.Generation)
        {
            running.Actor.Forward(prepare);
        }
        else if (prepare.Generation > running.Generation)
        {
            _waiting[prepare.JobId] = (prepare, Sender);
            running.Actor.Tell(new ReleaseGeneration(prepare.JobId, running.Generation));
        }
    }

    private void Release(ReleaseGeneration release)
    {
        if (_waiting.TryGetValue(release.JobId, out var waiting) && waiting.Prepare.Generation == release.Generation)
        {
            _waiting.Remove(release.JobId);
        }

        if (_running.TryGetValue(release.JobId, out var running) && running.Generation == release.Generation)
        {
            running.Actor.Forward(release);
            return;
        }

        if (running?.Generation < release.Generation)
        {
            // Of an earlier one the job has not heard for long: it is over as well.
            running.Actor.Tell(new ReleaseGeneration(release.JobId, running.Generation));
        }

        Sender.Tell(new GenerationReleased(release.Generation, _equipment.Name, null));
    }

    private void Start(PrepareGeneration prepare, IActorRef job)
    {
        var actor = Context.ActorOf(
            GenerationActor.Props(_equipment, prepare, job), $"{JobHash.Of(prepare.JobId):x16}-g{prepare.Generation}");
        Context.Watch(actor);
        _running[prepare.JobId] = new Running(prepare.Generation, actor, job);
    }

    private void OnTerminated(Terminated terminated)
    {
        foreach (var (id, running) in _running.Where(pair => pair.Value.Actor.Equals(terminated.ActorRef)).ToList())
        {
            // Said only now: whoever hears it may prepare the next one.
            _running.Remove(id);
            running.Farewell?.To.Tell(running.Farewell.Released);
            if (_waiting.Remove(id, out var waiting))
            {
                Start(waiting.Prepare, waiting.Job);
            }
        }

        TellIfIdle();
    }

    private void TellIfIdle()
    {
        if (_running.Count == 0)
        {
            _tellIdle?.Tell(new NodeIdle());
            _tellIdle = null;
        }
    }

    private sealed class Running(long generation, IActorRef actor, IActorRef job)
    {
        public long Generation { get; } = generation;

        public IActorRef Actor { get; } = actor;

        public IActorRef Job { get; } = job;

        public GenerationEnded? Farewell { get; set; }
    }
}

/// <summary>The last word of a generation's actor to the node's agent, which passes it on once that actor is gone.</summary>
/// <param name="To">Who waits for it.</param>
/// <param name="Released">What it is told.</param>
internal sealed record GenerationEnded(IActorRef To, GenerationReleased Released) : INoSerializationVerificationNeeded;

/// <summary>Puts a node's agent into an actor system.</summary>
public static class NodeActorHosting
{
    /// <summary>The agent's name: it is the same on every node.</summary>
    public const string Name = "node";

    /// <summary>Adds the threads of the layers and the node's agent.</summary>
    public static AkkaConfigurationBuilder WithNode(this AkkaConfigurationBuilder builder, NodeEquipment equipment)
    {
        ArgumentNullException.ThrowIfNull(equipment);
        return builder
            .AddHocon(LayerThreads.Hocon(equipment.Threads.Threads), HoconAddMode.Prepend)
            .WithActors((system, registry) => registry.Register<NodeActor>(system.ActorOf(NodeActor.Props(equipment), Name)));
    }
}
