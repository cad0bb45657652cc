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
    private readonly GenerationScope _scope;

    /// <param name="node">What the node has.</param>
    /// <param name="next">The order to come.</param>
    /// <param name="job">Who has announced it.</param>
    public AnnouncedActor(NodeEquipment node, PrepareGeneration next, IActorRef job)
    {
        _node = node;
        _next = next;
        _job = job;
        _scope = new GenerationScope(next, node.Name);
        Receive<DataLoaded>(_ => Rehearse());
        Receive<ReceiveTimeout>(_ => Context.Stop(Self));
    }

    /// <summary>How to make the actor, which computes on a thread of the layers.</summary>
    public static Props Props(NodeEquipment node, PrepareGeneration next, IActorRef job) =>
        Akka.Actor.Props.Create(() => new AnnouncedActor(node, next, job)).WithDispatcher(LayerThreads.DispatcherOf(0));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        base.PreStart();
        if (_scope.NeedsData)
        {
            SetReceiveTimeout(_longest);
            _node.Data.Load(_next.Job, _next.DataRoot, Self);
        }
        else
        {
            Rehearse();
        }
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _job.Tell(new GenerationExpected(_node.Name));
        base.PostStop();
    }

    private void Rehearse()
    {
        using var lanes = Lanes.For(_node.Threads, _node.Pool, 1);
        Rehearsal.Run(_scope, lanes.Workspaces[0]);
        Context.Stop(Self);
    }
}
