using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Averaging;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Averaging;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Pipeline;
using DistributedBackprop.Training.Tensors;
using Activation = DistributedBackprop.Actors.Pipeline.Activation;

namespace DistributedBackprop.Actors.Links;

/// <summary>
/// Which actor of this node takes a frame, and as what message: checks each frame against the graph before anybody
/// believes it. Immutable.
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

    /// <summary>Turns a frame into a message and says who takes it.</summary>
    /// <param name="header">Its name.</param>
    /// <param name="tensor">Its content: the message's from then on, where there is one.</param>
    /// <returns>Null where the frame is none of this generation on this node.</returns>
    public (IActorRef Target, object Message)? Of(in FrameHeader header, Tensor tensor) => header.Kind switch
    {
        FrameKind.Activation => OfActivation(header, tensor),
        FrameKind.Targets => OfTargets(header, tensor),
        FrameKind.Delta => OfDelta(header, tensor),
        FrameKind.Contribution => OfContribution(header, tensor),
        FrameKind.Average => OfAverage(header, tensor),
        _ => null,
    };

    private (IActorRef Target, object Message)? OfActivation(in FrameHeader header, Tensor tensor)
    {
        if (header.Edge >= graph.Edges.Length || !IsMicroBatch(header))
        {
            return null;
        }

        var edge = graph.Edges[header.Edge];
        var target = edge.Consumer == GraphEdge.Loss
            ? losses.GetValueOrDefault(header.Replica)
            : layers.GetValueOrDefault((header.Replica, edge.Consumer));
        return target is not null && Shaped(tensor, graph.ShapeOf(edge)) is { } value
            ? (target, new Activation(
                header.Generation, KeyOf(header), header.Replica, header.Edge, header.FirstPosition, value))
            : null;
    }

    private (IActorRef Target, object Message)? OfTargets(in FrameHeader header, Tensor tensor) =>
        losses.TryGetValue(header.Replica, out var loss)
            && tensor.ElementType == ElementType.Int32 && tensor.Shape.Axes.Length == 1 && IsMicroBatch(header)
            ? (loss, new Targets(
                header.Generation, KeyOf(header), header.Replica, tensor, header.Number, header.IsLast))
            : null;

    private (IActorRef Target, object Message)? OfDelta(in FrameHeader header, Tensor tensor)
    {
        if (header.Edge >= graph.Edges.Length || !IsMicroBatch(header))
        {
            return null;
        }

        var edge = graph.Edges[header.Edge];
        return layers.TryGetValue((header.Replica, edge.Source), out var target)
            && Shaped(tensor, graph.ShapeOf(edge)) is { } value
            ? (target, new Delta(header.Generation, KeyOf(header), header.Replica, header.Edge, value))
            : null;
    }

    private (IActorRef Target, object Message)? OfContribution(in FrameHeader header, Tensor tensor)
    {
        if (!IsOfVector(header, tensor))
        {
            return null;
        }

        var owner = OwnerOf(header.Edge, header.FirstPosition);
        return layers.TryGetValue((owner, header.Edge), out var target)
            ? (target, new Contribution(
                header.Generation,
                header.Step,
                header.Edge,
                header.Replica,
                owner,
                header.MicroBatch,
                header.FirstPosition,
                header.Number,
                tensor))
            : null;
    }

    private (IActorRef Target, object Message)? OfAverage(in FrameHeader header, Tensor tensor)
    {
        if (!IsOfVector(header, tensor))
        {
            return null;
        }

        for (var replica = 0; replica < job.Parallelism.Replicas; replica++)
        {
            if (layers.TryGetValue((replica, header.Edge), out var first))
            {
                return (first, new UpdatedChunk(
                    header.Generation,
                    header.Step,
                    header.Edge,
                    header.Replica,
                    header.MicroBatch,
                    header.FirstPosition,
                    tensor));
            }
        }

        return null;
    }

    private bool IsMicroBatch(in FrameHeader header) =>
        !header.IsTraining || header.MicroBatch < job.Training.MicroBatches;

    private bool IsOfVector(in FrameHeader header, Tensor tensor) =>
        header.Edge < graph.Nodes.Length
        && header.Replica < job.Parallelism.Replicas
        && tensor.ElementType == ElementType.Float32
        && tensor.Shape.Axes.Length == 1
        && tensor.Length <= graph.Nodes[header.Edge].Layer.Parameters.Length - header.FirstPosition;

    private int OwnerOf(int layer, int element)
    {
        for (var replica = 0; replica < job.Parallelism.Replicas; replica++)
        {
            var part = _parts[layer].Of(replica);
            if (element >= part.Start && element < part.End)
            {
                return replica;
            }
        }

        return -1;
    }

    private static MicroBatchKey KeyOf(in FrameHeader header) => new(header.Step, header.MicroBatch, header.IsTraining);

    // Headers name at most four axes; the edge knows them all.
    private static Tensor? Shaped(Tensor tensor, Shape example)
    {
        // Counted wide: an empty tensor can name any number of examples, and a shape holds no more than 2³¹ elements.
        if (tensor.ElementType != ElementType.Float32 || tensor.Shape.Axes.Length == 0
            || (long)tensor.Shape[0] * example.Length != tensor.Length)
        {
            return null;
        }

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
