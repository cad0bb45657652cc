using Akka.Actor;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// Does what a node can do for a generation of a job before it is prepared. However that ends, the job need not wait for it
/// any longer: what could not be done, that generation will say.
/// </summary>
internal sealed class AnnouncedActor : ReceiveActor
{
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(60);

    private readonly NodeEquipment _node;
    private readonly PrepareGeneration _next;
    private readonly IActorRef _job;

    /// <param name="node">What the node has.</param>
    /// <param name="next">The order to come.</param>
    /// <param name="job">Who has announced it.</param>
    public AnnouncedActor(NodeEquipment node, PrepareGeneration next, IActorRef job)
    {
        _node = node;
        _next = next;
        _job = job;
        Receive<DataLoaded>(_ => Context.Stop(Self));
        Receive<ReceiveTimeout>(_ => Context.Stop(Self));
    }

    /// <summary>How to make the actor.</summary>
    public static Props Props(NodeEquipment node, PrepareGeneration next, IActorRef job) =>
        Akka.Actor.Props.Create(() => new AnnouncedActor(node, next, job));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        if (new GenerationScope(_next, _node.Name).NeedsData)
        {
            SetReceiveTimeout(_longest);
            _node.Data.Load(_next.Job, _next.DataRoot, Self);
        }
        else
        {
            Context.Stop(Self);
        }
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _job.Tell(new GenerationExpected(_node.Name));
        base.PostStop();
    }
}
