using Akka.Actor;
using DistributedBackprop.Actors.Checkpoints;
using DistributedBackprop.Actors.Pipeline;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>Takes a job's orders to the actors of a generation on one node. Each comes again until it is answered.</summary>
/// <param name="scope">What runs here.</param>
/// <param name="actors">The actors.</param>
/// <param name="job">Who gives the orders.</param>
internal sealed class GenerationOrders(GenerationScope scope, LocalActors actors, IActorRef job)
{
    private readonly HashSet<CaptureState> _captures = [];

    /// <summary>An order to the near ends of all replicas here.</summary>
    public void ToReplicas(object order)
    {
        foreach (var replica in actors.Replicas.OrderBy(pair => pair.Key))
        {
            replica.Value.Tell(order);
        }
    }

    /// <summary>An order to all layers here.</summary>
    /// <param name="order">What they are told.</param>
    /// <param name="answerTo">Whom they answer.</param>
    public void ToLayers(object order, IActorRef answerTo)
    {
        foreach (var place in scope.Layers)
        {
            actors.Layers[place].Tell(order, answerTo);
        }
    }

    /// <summary>All layers here are told once; that they are is said as often as it is asked.</summary>
    /// <param name="capture">What they are asked for.</param>
    /// <param name="keeper">Whom they send it to.</param>
    public void Capture(CaptureState capture, IActorRef keeper)
    {
        if (_captures.Add(capture))
        {
            ToLayers(capture, keeper);
        }

        // Behind it in their mailboxes: whatever is granted after this answer comes after it.
        job.Tell(new CaptureNoted(capture.Generation, scope.Node, capture.AfterStep));
    }

    /// <summary>A loss on another node has judged.</summary>
    public void ToReplica(Judged judged) => actors.Replicas.GetValueOrDefault(judged.Replica)?.Tell(judged);

    /// <summary>It is asked along an edge where numbers ceased to be finite.</summary>
    public void Trace(TraceNonFinite trace) =>
        actors.Layers.GetValueOrDefault((trace.Replica, scope.Graph.Edges[trace.Edge].Source))?.Tell(trace);
}
