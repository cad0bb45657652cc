using System.Collections.Immutable;
using Akka.Actor;
using CsCheck;
using DistributedBackprop.Actors.Links;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Tensors;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Actors.Tests.Links;

/// <summary>
/// Why no flow can stand still: whatever comes, whether anybody takes it or not, its place is free again before the
/// receiver looks at the next frame. So a sender waits for a place only while frames of it are on their way.
/// </summary>
public sealed class FrameReceiverTests
{
    private static readonly Gen<(FrameKind, int, int, int, int, bool)> _names = Gen.Select(
        Gen.Int[1, 6].Select(kind => (FrameKind)kind),
        Gen.OneOf(Gen.Int[0, 12], Gen.Int[0, int.MaxValue]),
        Gen.OneOf(Gen.Int[0, 5], Gen.Int[0, ushort.MaxValue]),
        Gen.OneOf(Gen.Int[0, 5], Gen.Int[0, int.MaxValue]),
        Gen.OneOf(Gen.Int[0, 50], Gen.Int[0, int.MaxValue]),
        Gen.Bool);

    private static readonly Gen<int[]> _axes = Gen.OneOf(
        Gen.Int[0, 8].Array[0, 4],
        Gen.Int[0, int.MaxValue].Select(axis => new[] { axis, 0 }));

    [Fact]
    public void Whatever_comes_its_place_is_returned_at_once_and_its_tensor_is_somebodys()
    {
        var taken = 0;
        Gen.Select(new RandomJobs(), _names.Array[1, 20], _axes, Gen.Bool, Gen.Int[0, 2]).Sample(
            (random, names, axes, integers, life) =>
            {
                var pool = new TensorPool();
                var actors = new Mailbox();
                var receiver = Receiver(random, actors, life);
                foreach (var (kind, edge, replica, microBatch, position, isTraining) in names)
                {
                    var tensor = Tensor.Rent(
                        pool, ShapeFor(random, edge, axes), integers ? ElementType.Int32 : ElementType.Float32);
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
                    receiver.OnTensor("peer", header.Describing(tensor), tensor, place);
                    place.Returns.ShouldBe(1);
                }

                taken += actors.TakeAll();
                pool.Outstanding.ShouldBe(0);
            },
            iter: 2000,
            threads: 1);
        taken.ShouldBeGreaterThan(1000);
    }

    private static FrameReceiver Receiver(RandomJob random, Mailbox actors, int life)
    {
        var receiver = new FrameReceiver(actors);
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

    // Half of the frames have the shape of their edge, so that some are taken.
    private static Shape ShapeFor(RandomJob random, int edge, int[] axes)
    {
        var graph = Graph.Of(random.Job.Model, random.Job.Seed);
        return edge % 2 == 0 && edge < graph.Edges.Length && axes.Length > 0 && axes[0] < 9
            ? graph.ShapeOf(graph.Edges[edge]).Stacked(axes[0])
            : new Shape(axes);
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
