using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Links;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Checkpoints;

/// <summary>Takes the state that a job keeps to the nodes of its next generation: to each what its layers need.</summary>
/// <param name="context">Whose children the links are.</param>
/// <param name="keeper">What this process has.</param>
internal sealed class StateCourier(IActorContext context, JobKeeper keeper)
{
    // 4 MB: large enough to cost little, small enough that several nodes are served in turn.
    private const int PartElements = 1 << 20;

    private readonly List<IActorRef> _links = [];

    /// <summary>Sends a node its part of the state.</summary>
    /// <param name="state">The state, complete; borrowed.</param>
    /// <param name="prepare">The generation.</param>
    /// <param name="node">The node, with its actor of the generation.</param>
    public void Send(TrainingState state, PrepareGeneration prepare, Member node)
    {
        var target = node.Tensors is null || keeper.Plane is null || node.Tensors.Equals(keeper.Tensors) ? node.Actor : LinkTo(node, prepare);
        foreach (var vector in new GenerationScope(prepare, node.Name).State.Vectors)
        {
            var tensor = state[vector];
            for (var start = 0; start < tensor.Length; start += PartElements)
            {
                var part = tensor.Share(start, new Shape(Math.Min(PartElements, tensor.Length - start)));
                target.Tell(new StatePart(prepare.Generation, prepare.AfterStep, vector, start, part));
            }
        }
    }

    /// <summary>All has arrived: closes the links.</summary>
    public void Close()
    {
        foreach (var link in _links)
        {
            link.Tell(new CloseLink());
        }

        _links.Clear();
    }

    private IActorRef LinkTo(Member node, PrepareGeneration prepare)
    {
        var link = context.ActorOf(
            LinkActor.Props(keeper.Plane!, node.Name, node.Tensors!, JobHash.Of(prepare.JobId)),
            $"state-g{prepare.Generation}-{_links.Count}");
        _links.Add(link);
        return link;
    }
}
