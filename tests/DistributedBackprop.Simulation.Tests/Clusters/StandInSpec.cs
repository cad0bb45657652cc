using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;
using Activation = DistributedBackprop.Actors.Pipeline.Activation;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>Probes in the place of a layer, a node and the coordinator, which assert on what passes and answer.</summary>
public sealed class StandInSpec : ClusterSpec
{
    private static readonly SimulatedJob _line = Job("""
        name: line
        seed: 3
        data: { format: xor, train: { examples: 8 } }
        model: { input: [2], layers: [ dense: { units: 3, activation: tanh }, dense: { units: 2 } ] }
        loss: softmaxCrossEntropy
        optimizer: { sgd: { learningRate: 0.1 } }
        training: { batchSize: 4, epochs: 2 }
        """);

    [Fact]
    public void A_probe_stands_in_for_a_node()
    {
        using var cluster = Cluster(seed: 9, nodes: 1);
        var (name, probe) = JoinStandIn(cluster);
        RunUntilTold<DescribeNode>(cluster, probe);
        probe.Reply(new NodeDescribed(cluster.DescriptionOf(name)));

        // It is to be ready, then gets its share of the job, which goes on without it when it does not answer any more.
        var told = RunUntilTold<IWireMessage>(cluster, probe);
        while (told is not PrepareGeneration)
        {
            if (told is AnnounceGeneration)
            {
                probe.Reply(new GenerationExpected(name));
            }

            told = RunUntilTold<IWireMessage>(cluster, probe);
        }

        ((PrepareGeneration)told).Placement.Nodes.ShouldBe(["n1", name]);
        cluster.Kill(name);
        cluster.RunToEnd();
        cluster.WeightsSha256.ShouldBe(Undisturbed());
        cluster.Events.OfType<GenerationStarted>().Last().Placement.Nodes.ShouldBe(["n1"]);
    }

    [Fact]
    public void A_probe_stands_in_for_a_layer()
    {
        using var cluster = Cluster(seed: 11, _line, nodes: 1);
        var probe = StandInForLayer(cluster, "dense2");
        var links = RunUntilTold<Connect>(cluster, probe);
        var activation = RunUntilTold<Activation>(cluster, probe);
        activation.Value.Shape.ShouldBe(new Shape(4, 3));

        // To the loss its outputs are all alike: every class has one half, and each example weighs a fourth.
        Answer(cluster, links.Forward[0].Target, activation with { Edge = links.Forward[0].Edge, Value = Of(cluster, 4, 2, 1) });
        var delta = RunUntilTold<Delta>(cluster, probe);
        foreach (var example in Enumerable.Range(0, 4))
        {
            delta.Value.Floats.Slice(2 * example, 2).ToArray().Order().ShouldBe([-0.125f, 0.125f]);
        }

        // What it answers is what the layer before it takes.
        var seen = TapTensors(cluster);
        Answer(cluster, links.Backward[0]!.Target, delta with { Edge = links.Backward[0]!.Edge, Value = Of(cluster, 4, 3, 0.5f) });
        cluster.RunUntil(() => seen.HasMessages);
        Seen<SeenTensor>(seen)[0].ShouldSatisfyAllConditions(
            tensor => tensor.IsActivation.ShouldBeFalse(),
            tensor => tensor.Values.ShouldAllBe(value => value == 0.5f));
        delta.Value.Dispose();
        activation.Value.Dispose();
    }

    [Fact]
    public void A_probe_stands_in_for_the_coordinator()
    {
        using var cluster = Cluster(seed: 12, _line, nodes: 1);
        var probe = StandInForCoordinator(cluster);
        cluster.Tell("n1", FirstOrder(_line, "n1"), probe.Ref);
        RunUntilTold<GenerationPrepared>(cluster, probe);
        var generation = probe.Sender;
        Answer(cluster, generation, new BeginGeneration(1, [new Member("n1", null, generation)]), probe.Ref);
        RunUntilTold<GenerationBegun>(cluster, probe);
        Answer(cluster, generation, new Grant(1, UpToStep: 2, Judged: 0), probe.Ref);

        // Two steps of four examples are granted, and no more: their losses are those of the undisturbed run.
        var expected = Expectation.Of(_line).Steps;
        var judged = new List<JudgedStep>();
        while (judged.Count < 2)
        {
            judged.AddRange(RunUntilTold<StepsJudged>(cluster, probe).Steps);
        }

        judged.Select(step => step.LossSum / 4).ShouldBe(expected.Take(2));
        cluster.Loop.RunFor(TimeSpan.FromSeconds(5));
        probe.HasMessages.ShouldBeFalse();
    }

    private static void Answer(SimulatedCluster cluster, IActorRef to, object message, IActorRef? from = null) =>
        cluster.Loop.Do(() => to.Tell(message, from ?? ActorRefs.NoSender));

    private static Tensor Of(SimulatedCluster cluster, int examples, int units, float value)
    {
        var tensor = Tensor.Rent(cluster.PoolOf("n1"), new Shape(examples, units));
        tensor.Floats.Fill(value);
        return tensor;
    }
}
