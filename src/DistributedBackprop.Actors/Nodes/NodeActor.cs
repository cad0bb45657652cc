using Akka.Actor;
using Akka.Hosting;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// A node's agent: makes the layers that a job places here, on their own threads, supervises them, and takes them down
/// again. A layer that fails is started anew as an empty shell that drops what still comes, and the job hears of it.
/// </summary>
public sealed class NodeActor : ReceiveActor
{
    private readonly LayerThreads _threads;
    private readonly TensorPool _pool;
    private Generation? _generation;
    private IActorRef? _tellIdle;

    /// <summary>Makes the actor.</summary>
    /// <param name="threads">The threads of the layers.</param>
    /// <param name="pool">Lends the tensors of every generation.</param>
    /// <param name="life">The process, where it is one of a cluster.</param>
    public NodeActor(LayerThreads threads, TensorPool pool, INodeLife? life = null)
    {
        _threads = threads;
        _pool = pool;
        var door = new NodeDoor(life);
        Receive<DescribeNode>(_ => door.Describe(Sender, Self));
        Receive<NodeRefused>(door.Refuse);
        Receive<TellWhenIdle>(_ =>
        {
            _tellIdle = Sender;
            TellIfIdle();
        });
        Receive<PrepareGeneration>(Prepare);
        Receive<ReleaseGeneration>(Release);
        Receive<Abandoned>(OnAbandoned);
        Receive<Terminated>(OnTerminated);
    }

    /// <summary>How to make the actor.</summary>
    public static Props Props(LayerThreads threads, TensorPool pool, INodeLife? life = null) =>
        Akka.Actor.Props.Create(() => new NodeActor(threads, pool, life));

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(
        maxNrOfRetries: -1,
        withinTimeMilliseconds: -1,
        exception =>
        {
            if (_generation is { } generation)
            {
                var (layer, step, cause) = exception is LayerException failed
                    ? (failed.Layer, failed.Step, failed.InnerException!)
                    : (Self.Path.Name, 0, exception);
                generation.Job.Tell(new LayerFailed(
                    generation.Number, layer, step, $"{cause.GetType().Name}: {cause.Message}"));
            }

            return Directive.Restart;
        });

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _generation?.Dispose();
        base.PostStop();
    }

    private void Prepare(PrepareGeneration prepare)
    {
        if (_generation is not null)
        {
            Sender.Tell(new LayerFailed(
                prepare.Generation, Self.Path.Name, 0, $"generation {_generation.Number} has not been released here"));
            return;
        }

        var lanes = Lanes.For(_threads, _pool, prepare.Job.Parallelism.Replicas * prepare.Job.Parallelism.Stages);
        var generation = new Generation(prepare.Generation, Sender, lanes);
        _generation = generation;
        try
        {
            var pipelines = new PipelineBuilder(prepare, Sender, lanes, _pool).Build(Context);
            Sender.Tell(new GenerationPrepared(prepare.Generation, pipelines));
        }
#pragma warning disable CA1031 // Whatever it was: the job must hear of it, or it waits for ever.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            var (layer, reason) = exception is LayerException failed
                ? (failed.Layer, failed.InnerException!.Message)
                : (Self.Path.Name, $"{exception.GetType().Name}: {exception.Message}");
            Sender.Tell(new LayerFailed(prepare.Generation, layer, 0, reason));
        }

        // In the order of their names: that of the collection is not the same in every process.
        foreach (var actor in Context.GetChildren().OrderBy(actor => actor.Path.Name, StringComparer.Ordinal))
        {
            Context.Watch(actor);
            generation.Alive.Add(actor);
        }
    }

    // Two turns: once all have said that they send nothing more, what is left in the mailboxes can be emptied.
    private void Release(ReleaseGeneration release)
    {
        if (_generation is not { } generation || generation.Number != release.Generation)
        {
            Sender.Tell(new GenerationReleased(release.Generation));
            return;
        }

        generation.ReleaseTo = Sender;
        foreach (var actor in generation.Alive)
        {
            actor.Tell(new Abandon(generation.Number));
        }

        EndIfEmpty(generation);
    }

    private void OnAbandoned(Abandoned abandoned)
    {
        if (_generation is not { } generation || generation.Number != abandoned.Generation)
        {
            return;
        }

        generation.Abandoned++;
        if (generation.Abandoned == generation.Alive.Count)
        {
            foreach (var actor in generation.Alive)
            {
                actor.Tell(PoisonPill.Instance);
            }
        }
    }

    private void OnTerminated(Terminated terminated)
    {
        if (_generation is not { } generation)
        {
            return;
        }

        generation.Alive.Remove(terminated.ActorRef);
        EndIfEmpty(generation);
    }

    private void EndIfEmpty(Generation generation)
    {
        if (generation.Alive.Count == 0)
        {
            generation.Dispose();
            _generation = null;
            generation.ReleaseTo?.Tell(new GenerationReleased(generation.Number));
            TellIfIdle();
        }
    }

    private void TellIfIdle()
    {
        if (_generation is null)
        {
            _tellIdle?.Tell(new NodeIdle());
            _tellIdle = null;
        }
    }

    private sealed class Generation(long number, IActorRef job, Lanes lanes) : IDisposable
    {
        public long Number { get; } = number;

        public IActorRef Job { get; } = job;

        public List<IActorRef> Alive { get; } = [];

        public int Abandoned { get; set; }

        public IActorRef? ReleaseTo { get; set; }

        public void Dispose() => lanes.Dispose();
    }
}

/// <summary>Puts a node's agent into an actor system.</summary>
public static class NodeActorHosting
{
    /// <summary>The agent's name: it is the same on every node.</summary>
    public const string Name = "node";

    /// <summary>Adds the threads of the layers and the node's agent.</summary>
    public static AkkaConfigurationBuilder WithNode(
        this AkkaConfigurationBuilder builder, LayerThreads threads, TensorPool pool, INodeLife? life = null)
    {
        ArgumentNullException.ThrowIfNull(threads);
        return builder
            .AddHocon(LayerThreads.Hocon(threads.Threads), HoconAddMode.Prepend)
            .WithActors((system, registry) => registry.Register<NodeActor>(system.ActorOf(NodeActor.Props(threads, pool, life), Name)));
    }
}
