using System.Collections.Immutable;
using Akka.Actor;
using CsCheck;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Links;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Tensors;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Actors.Tests.Links;

/// <summary>
/// Why no flow can stand still: whatever comes, whether anybody takes it or not, its place is free again before the
/// receiver looks at the next frame. So a sender waits for a place only while frames of it are on their way.
/// </summary>
public sealed class FrameReceiverTests
{
    private static readonly Gen<(FrameKind, int, int, int, int, bool)> _likely = Gen.Select(
        Gen.Int[1, 6].Select(kind => (FrameKind)kind), Gen.Int[0, 4], Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 4], Gen.Bool);

    private static readonly Gen<(FrameKind, int, int, int, int, bool)> _any = Gen.Select(
        Gen.Int[1, 6].Select(kind => (FrameKind)kind),
        Gen.OneOf(Gen.Int[0, 12], Gen.Int[0, int.MaxValue]),
        Gen.OneOf(Gen.Int[0, 5], Gen.Int[0, ushort.MaxValue]),
        Gen.OneOf(Gen.Int[0, 5], Gen.Int[0, int.MaxValue]),
        Gen.OneOf(Gen.Int[0, 50], Gen.Int[0, int.MaxValue]),
        Gen.Bool);

    private static readonly Gen<(FrameKind, int, int, int, int, bool)> _names = Gen.OneOf(_likely, _any);

    private static readonly Gen<int[]> _axes = Gen.OneOf(
        Gen.Int[0, 8].Array[0, 4],
        Gen.Int[0, int.MaxValue].Select(axis => new[] { axis, 0 }));

    [Fact]
    public void Whatever_comes_its_place_is_returned_at_once_and_its_tensor_is_somebodys()
    {
        var taken = 0;
        Gen.Select(new RandomJobs(), _names.Array[1, 20], _axes, Gen.Int[0, 3].Select(dice => dice == 0), Gen.Int[0, 2]).Sample(
            (random, names, axes, integers, life) =>
            {
                var pool = new TensorPool();
                var actors = new Mailbox();
                var receiver = Receiver(random, actors, life);
                var lost = 0;
                foreach (var (kind, edge, replica, microBatch, position, isTraining) in names)
                {
                    var tensor = Tensor.Rent(
                        pool,
                        ShapeFor(random, kind, edge, axes),
                        (kind == FrameKind.Targets) != integers ? ElementType.Int32 : ElementType.Float32);
                    var place = new Place();
                    var header = new FrameHeader
                    {
                        Kind = kind,
                        Generation = 1,
                        Edge = edge,
                        Replica = replica,
                        MicroBatch = microBatch,
                        FirstPosition = position,
                        IsTraining = isTraining,
                    };
                    header = header.Describing(tensor);
                    var verdict = receiver.Judge("peer", header);
                    (verdict == Verdict.Drop).ShouldBe(life > 1);
                    actors.Losses.ShouldBe(verdict == Verdict.Close ? ++lost : lost);
                    receiver.Judge("stranger", header).ShouldBe(
                        verdict == Verdict.Deliver && kind != FrameKind.State ? Verdict.Close : verdict);
                    lost = actors.Losses;
                    if (verdict == Verdict.Close)
                    {
                        tensor.Dispose();
                        continue;
                    }

                    receiver.OnTensor("peer", header, tensor, place);
                    place.Returns.ShouldBe(1);
                    actors.Losses.ShouldBe(lost, "what is judged to be taken is taken");
                }

                taken += actors.TakeAll();
                pool.Outstanding.ShouldBe(0);
            },
            iter: 2000,
            threads: 1);
        taken.ShouldBeGreaterThan(200);
    }

    // What a peer could make a node rent is what the job itself has: examples of a micro-batch, elements of a vector.
    [Fact]
    public void No_frame_that_is_taken_is_larger_than_what_the_job_has() =>
        Gen.Select(new RandomJobs(), _names, Gen.OneOf(Gen.Int[0, 12], Gen.Int[0, 1 << 16])).Sample((random, names, examples) =>
        {
            var (kind, edge, replica, microBatch, position, isTraining) = names;
            var graph = Graph.Of(random.Job.Model, random.Job.Seed);
            var elements = kind switch
            {
                FrameKind.Activation or FrameKind.Delta => edge < graph.Edges.Length ? graph.ShapeOf(graph.Edges[edge]).Length : 1,
                _ => 1,
            };
            var most = kind switch
            {
                FrameKind.Activation or FrameKind.Delta or FrameKind.Targets => isTraining ? random.Job.Training.BatchSize : 256,
                _ => graph.Nodes.Max(node => Math.Max(node.Layer.Parameters.Length, ReplicaCounts.Length)),
            };
            using var tensor = Tensor.Rent(
                new TensorPool(),
                elements == 1 && kind is not (FrameKind.Activation or FrameKind.Delta) ? new Shape(examples) : new Shape(examples, elements),
                kind == FrameKind.Targets ? ElementType.Int32 : ElementType.Float32);
            var header = new FrameHeader
            {
                Kind = kind,
                Generation = 1,
                Edge = edge,
                Replica = replica,
                MicroBatch = microBatch,
                FirstPosition = position,
                IsTraining = isTraining,
            };
            if (Receiver(random, new Mailbox(), 1).Judge("peer", header.Describing(tensor)) == Verdict.Deliver)
            {
                examples.ShouldBeLessThanOrEqualTo(most);
            }
        });

    private static FrameReceiver Receiver(RandomJob random, Mailbox actors, int life)
    {
        var receiver = new FrameReceiver(actors, JobRun.LayoutOf(random.Job, Graph.Of(random.Job.Model, random.Job.Seed)));
        if (life > 0)
        {
            var graph = Graph.Of(random.Job.Model, random.Job.Seed);
            var replicas = Enumerable.Range(0, random.Job.Parallelism.Replicas).ToList();
            var layers = from replica in replicas
                         from layer in Enumerable.Range(0, graph.Nodes.Length)
                         select KeyValuePair.Create((replica, layer), (IActorRef)actors);
            receiver.Open(new FrameRoutes(
                graph, random.Job, layers.ToImmutableDictionary(), replicas.ToImmutableDictionary(replica => replica, _ => (IActorRef)actors)), ["peer"]);
        }

        if (life > 1)
        {
            receiver.Close();
        }

        return receiver;
    }

    // Half of the frames have a shape that fits what they are, so that some are taken.
    private static Shape ShapeFor(RandomJob random, FrameKind kind, int edge, int[] axes)
    {
        if (edge % 2 == 1 || axes.Length == 0)
        {
            return new Shape(axes);
        }

        var graph = Graph.Of(random.Job.Model, random.Job.Seed);
        return kind is not (FrameKind.Activation or FrameKind.Delta)
            ? new Shape(axes[0] % 4)
            : edge < graph.Edges.Length ? graph.ShapeOf(graph.Edges[edge]).Stacked(axes[0] % 4) : new Shape(axes);
    }

    private sealed class Place : IPlace
    {
        public int Returns { get; private set; }

        public void Return() => Returns++;
    }

    // Actors that have not come to their messages yet.
    private sealed class Mailbox : MinimalActorRef
    {
        private readonly List<object> _messages = [];

        public override ActorPath Path { get; } = new RootActorPath(new Address("akka", "nowhere")) / "mailbox";

        public override IActorRefProvider Provider => throw new NotSupportedException();

        public int Losses => _messages.Count(message => message is PeerLost);

        public int TakeAll()
        {
            var count = _messages.Count(message => message is not PeerLost);
            _messages.ForEach(TensorsOf.Message);
            _messages.Clear();
            return count;
        }

        protected override void TellInternal(object message, IActorRef sender) => _messages.Add(message);
    }
}
