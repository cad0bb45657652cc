using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Optimizers;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;
using Activation = DistributedBackprop.Actors.Pipeline.Activation;

namespace DistributedBackprop.Actors.Links;

/// <summary>
/// Which actor of this node takes a frame, and as what message: checks each frame's name against the graph before anybody
/// believes it, and before there is memory for it. So what is rented for frames is no more than what the job itself would
/// take. Immutable.
/// </summary>
/// <param name="graph">The network.</param>
/// <param name="job">The job.</param>
/// <param name="layers">The layers here, by replica and place in the graph.</param>
/// <param name="losses">The losses here, by replica.</param>
internal sealed class FrameRoutes(
    Graph graph,
    TrainingJob job,
    ImmutableDictionary<(int Replica, int Layer), IActorRef> layers,
    ImmutableDictionary<int, IActorRef> losses)
{
    private readonly ImmutableArray<LayerParts> _parts =
        [.. graph.Nodes.Select(node => new LayerParts(node.Layer, job.Parallelism.Replicas))];

    private readonly int _averaged = job.Parallelism.Averaging is ParameterAveraging { InnerState: InnerState.Average }
        ? 1 + Optimizer.Of(job.Optimizer).Slots
        : 1;

    /// <summary>Says who takes a frame of a name.</summary>
    /// <returns>Null where it is none of this generation on this node.</returns>
    public IActorRef? TargetOf(in FrameHeader header) => header.Kind switch
    {
        FrameKind.Activation => TargetOfActivation(header),
        FrameKind.Targets => TargetOfTargets(header),
        FrameKind.Delta => TargetOfDelta(header),
        FrameKind.Contribution => IsOfVector(header) ? layers.GetValueOrDefault((OwnerOf(header), header.Edge)) : null,
        FrameKind.Average => IsOfVector(header) ? FirstOf(header.Edge) : null,
        _ => null,
    };

    /// <summary>Turns a frame that somebody here takes into the message to that one.</summary>
    /// <param name="header">Its name.</param>
    /// <param name="tensor">Its content: the message's from then on.</param>
    public object MessageOf(in FrameHeader header, Tensor tensor) => header.Kind switch
    {
        FrameKind.Activation => new Activation(
            header.Generation,
            KeyOf(header),
            header.Replica,
            header.Edge,
            header.FirstPosition,
            Shaped(tensor, graph.ShapeOf(graph.Edges[header.Edge]))),
        FrameKind.Targets => new Targets(
            header.Generation, KeyOf(header), header.Replica, tensor, header.Number, header.IsLast),
        FrameKind.Delta => new Delta(
            header.Generation,
            KeyOf(header),
            header.Replica,
            header.Edge,
            Shaped(tensor, graph.ShapeOf(graph.Edges[header.Edge]))),
        FrameKind.Contribution => new Contribution(
            header.Generation,
            header.Step,
            header.Edge,
            header.Replica,
            OwnerOf(header),
            header.MicroBatch,
            header.FirstPosition,
            header.Number,
            tensor),
        _ => new UpdatedChunk(
            header.Generation,
            header.Step,
            header.Edge,
            header.Replica,
            header.MicroBatch,
            header.FirstPosition,
            tensor),
    };

    private IActorRef? TargetOfActivation(in FrameHeader header)
    {
        if (header.Edge >= graph.Edges.Length || !IsOfMicroBatch(header, graph.ShapeOf(graph.Edges[header.Edge])))
        {
            return null;
        }

        var consumer = graph.Edges[header.Edge].Consumer;
        return consumer == GraphEdge.Loss
            ? losses.GetValueOrDefault(header.Replica)
            : layers.GetValueOrDefault((header.Replica, consumer));
    }

    private IActorRef? TargetOfTargets(in FrameHeader header) =>
        header.ElementType == ElementType.Int32 && header.Rank == 1 && header.Length <= MostExamples(header)
            ? losses.GetValueOrDefault(header.Replica)
            : null;

    private IActorRef? TargetOfDelta(in FrameHeader header) =>
        header.Edge < graph.Edges.Length && IsOfMicroBatch(header, graph.ShapeOf(graph.Edges[header.Edge]))
            ? layers.GetValueOrDefault((header.Replica, graph.Edges[header.Edge].Source))
            : null;

    // Headers name at most four axes; the edge knows them all. Counted wide: an empty tensor can name any number of
    // examples, and a shape holds no more than 2³¹ elements.
    private bool IsOfMicroBatch(in FrameHeader header, Shape example) =>
        header.ElementType == ElementType.Float32
        && header.Rank > 0
        && header.Length <= MostExamples(header)
        && (long)header.Length * example.Length == header.Elements;

    // A minibatch may be shorter at the end of an epoch, never longer; −1 where there is no such micro-batch.
    private int MostExamples(in FrameHeader header)
    {
        if (!header.IsTraining)
        {
            return ReplicaActor.EvaluationChunk;
        }

        var (replicas, microBatches) = (job.Parallelism.Replicas, job.Training.MicroBatches);
        return header.Replica < replicas && header.MicroBatch < microBatches
            ? Slices.OfMicroBatch(
                Slices.OfReplica(job.Training.BatchSize, replicas, header.Replica), microBatches, header.MicroBatch).Length
            : -1;
    }

    private bool IsOfVector(in FrameHeader header) =>
        header.Edge < graph.Nodes.Length
        && header.Replica < job.Parallelism.Replicas
        && header.MicroBatch < _averaged
        && header.ElementType == ElementType.Float32
        && header.Rank == 1
        && header.Elements <= graph.Nodes[header.Edge].Layer.Parameters.Length - header.FirstPosition;

    // Whose part of the layer's vector it begins in; −1: in none.
    private int OwnerOf(in FrameHeader header)
    {
        for (var replica = 0; replica < job.Parallelism.Replicas; replica++)
        {
            var part = _parts[header.Edge].Of(replica);
            if (header.FirstPosition >= part.Start && header.FirstPosition < part.End)
            {
                return replica;
            }
        }

        return -1;
    }

    private IActorRef? FirstOf(int layer)
    {
        for (var replica = 0; replica < job.Parallelism.Replicas; replica++)
        {
            if (layers.TryGetValue((replica, layer), out var first))
            {
                return first;
            }
        }

        return null;
    }

    private static MicroBatchKey KeyOf(in FrameHeader header) => new(header.Step, header.MicroBatch, header.IsTraining);

    private static Tensor Shaped(Tensor tensor, Shape example)
    {
        var shape = example.Stacked(tensor.Shape[0]);
        if (shape.Equals(tensor.Shape))
        {
            return tensor;
        }

        using (tensor)
        {
            return tensor.Share(shape);
        }
    }
}
