using System.Collections.Immutable;
using System.IO.Compression;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using CsCheck;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Wire;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;
using Google.Protobuf;
using Form = DistributedBackprop.Actors.Wire.Messages;

namespace DistributedBackprop.Actors.Tests.Wire;

/// <summary>The largest jobs fit into messages; what does not fit is refused by name and size.</summary>
public sealed class LargeMessagesTests() : TestKit(WireSerializer.Hocon)
{
    private WireSerializer Serializer => new((ExtendedActorSystem)Sys);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    public void A_thousand_replicas_of_64_stages_fit_however_they_lie(int nodes)
    {
        var prepare = Prepare(64, 1024, 64);

        // The placement that says most: every stage on any node.
        var places = Gen.Int[0, nodes - 1].Array[1024 * 64].Single();
        prepare = prepare with
        {
            Placement = new Placement(1024, 64, (replica, stage) => $"node-{places[(replica * 64) + stage]}"),
            Members = [.. Enumerable.Range(0, nodes).Select(node => prepare.Keeper with { Name = $"node-{node}" })],
        };
        Sent(prepare).ShouldBeSameAs(prepare);
    }

    [Fact]
    public void The_most_layers_replicas_and_stages_that_a_job_may_have_fit()
    {
        var prepare = Prepare(2048, 1024, 256);
        Sent(prepare).ShouldBeSameAs(prepare);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name_and_size()
    {
        var member = Prepare(1, 1, 1).Keeper with { Name = new string('n', 64) };
        Should.Throw<SerializationException>(
            () => Serializer.ToBinary(new BeginGeneration(1, [.. Enumerable.Repeat(member, 2000)])))
            .Message.ShouldMatch("^a message begin-generation must have at most 100000 bytes \\(was [0-9]{6}\\)$");
        Should.Throw<SerializationException>(() => Serializer.ToBinary(new ReleaseGeneration(new string('j', 1025), 1)))
            .Message.ShouldBe("job_id must be 1 … 1024 bytes (was 1025)");
    }

    [Fact]
    public void A_placement_is_of_its_jobs_replicas_and_stages()
    {
        var prepare = Prepare(4, 2, 2) with { Placement = new Placement(2, 3, (_, _) => "n") };
        Should.Throw<SerializationException>(() => Serializer.ToBinary(prepare))
            .Message.ShouldBe("placement must be of 2 replicas of 2 stages, as the job is (was of 2 of 3)");
    }

    [Theory]
    [InlineData("", "job:1:1 the file is empty")]
    [InlineData("{\"name\":\"x\"", "job:2:1 not valid YAML")]
    [InlineData("{\"name\":\"x\"}", "job:1:1 ")]
    public void A_job_that_is_none_is_refused_in_the_words_of_job_files(string job, string words) =>
        Refusal(new Form.GenerationPlan { Job = job }.ToByteArray()).ShouldStartWith($"a message prepare-generation: {words}");

    [Fact]
    public void Random_plans_are_refused() => Gen.OneOf(
        Gen.Byte.Array[0, 100],
        Gen.Select(Gen.String, Gen.UInt[0, 9].Array[0, 9], (job, places) =>
            new Form.GenerationPlan { Job = Valid(job), Nodes = { "n" }, NodeOf = { places } }.ToByteArray())).Sample(
        plan => Refusal(plan).ShouldContain("a message prepare-generation"), iter: 1000);

    [Theory]
    [InlineData(new uint[] { }, "node_of must be 2 … 2 (was 0)")]
    [InlineData(new uint[] { 0, 0, 0 }, "node_of must be 2 … 2 (was 3)")]
    [InlineData(new uint[] { 0, 1 }, "node_of must be 0 … 0 (was 1)")]
    [InlineData(new uint[] { 0, uint.MaxValue }, "node_of must be 0 … 0 (was 4294967295)")]
    public void A_placement_that_is_none_is_refused(uint[] places, string words)
    {
        var plan = new Form.GenerationPlan { Job = CanonicalForm.Of(JobOf(2, 1, 2)), Nodes = { "n" }, NodeOf = { places } };
        Refusal(plan.ToByteArray()).ShouldBe($"a message prepare-generation: {words}");
    }

    [Fact]
    public void What_inflates_without_end_is_refused_early()
    {
        // 10 MB of nothing are 10 KB on the wire.
        Refusal(new byte[10 << 20]).ShouldStartWith("a message prepare-generation: plan must be 0 … 4194304 (was ");
    }

    [Fact]
    public void Statistics_too_large_lose_their_ends_and_never_fail()
    {
        var peaks = Enumerable.Range(0, 40).ToImmutableDictionary(layer => layer, layer => 300 + layer);
        var links = Enumerable.Range(0, 5000).Select(to => new LinkStatistics($"node-{to}", to, to, to, to));
        foreach (var count in new[] { 0, 1, 700, 2000, 70_000 })
        {
            var stages = Enumerable.Range(0, count)
                .Select(stage => new StageStatistics(stage / 256, stage % 256, Math.Sqrt(stage + 1), 0.25, long.MaxValue, 0.5, peaks));
            foreach (var linkCount in new[] { 0, 7, 5000 })
            {
                var statistics = new NodeStatistics(
                    new string('n', 64), 1, [.. stages], [.. links.Take(linkCount)], long.MaxValue, long.MaxValue, 1.5, long.MaxValue);

                var bytes = Serializer.ToBinary(new GenerationReleased(1, statistics.Node, statistics));
                var read = ((GenerationReleased)Serializer.FromBinary(bytes, "generation-released")).Statistics!;

                // What is left is the beginning of each.
                var whole = read.Stages.TakeWhile(stage => stage.Peaks.Count > 0).Count();
                foreach (var (stage, index) in read.Stages.Select((stage, index) => (stage, index)))
                {
                    stage.ShouldBeSameAs(
                        statistics.Stages[index] with { Peaks = index < whole ? peaks : ImmutableDictionary<int, int>.Empty });
                }

                read.Links.ShouldBe(statistics.Links.Take(read.Links.Length));
                if (whole < count || read.Links.Length < linkCount)
                {
                    // Nothing is left out that there is room for, and links leave half to stages.
                    bytes.Length.ShouldBeGreaterThan(read.Stages.Length == count && whole == count ? 40_000 : 80_000);
                }
            }
        }
    }

    private static TrainingJob JobOf(int layers, int replicas, int stages) => new()
    {
        Name = "large",
        Data = new XorData(100_000, 100),
        Model = new Model(new Shape(2), [
            .. Enumerable.Range(1, layers).Select(layer => new ModelLayer(
                $"dense{layer}",
                [layer == 1 ? Model.InputName : $"dense{layer - 1}"],
                new DenseKind(1, null, true, new Initializer(InitializerKind.Default)),
                1)),
        ]),
        Loss = LossKind.MeanSquaredError,
        Optimizer = new SgdChoice { LearningRate = new ConstantRate(0.1, 0) },
        Training = new TrainingPlan { BatchSize = 4096, Steps = 10 },
        Parallelism = new Parallelism { Replicas = replicas, Stages = stages },
    };

    private static string Valid(string text) => new([.. text.Where(c => !char.IsSurrogate(c))]);

    private PrepareGeneration Prepare(int layers, int replicas, int stages) => new(
        "large-0123456789ab",
        1,
        JobOf(layers, replicas, stages),
        new string('f', 64),
        100_000,
        new Placement(replicas, stages, (replica, stage) => $"node-{(replica + (stage / 16)) % 32}"),
        [],
        new Member("coordinator", null, TestActor),
        0,
        StateOrigin.Fresh);

    private object Sent(object message) => Serializer.FromBinary(Serializer.ToBinary(message), Serializer.Manifest(message));

    private string Refusal(byte[] plan)
    {
        using var deflated = new MemoryStream();
        using (var deflate = new DeflateStream(deflated, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            deflate.Write(plan);
        }

        var wire = new Form.PrepareGeneration { Plan = ByteString.CopyFrom(deflated.ToArray()) };
        return Should.Throw<SerializationException>(() => Serializer.FromBinary(wire.ToByteArray(), "prepare-generation")).Message;
    }
}
