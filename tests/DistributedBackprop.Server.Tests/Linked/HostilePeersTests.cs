using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>
/// Whoever reaches the ports for tensors while jobs run: the jobs end with their bits and no memory is kept. Who knows
/// the secret counts as a node, and one that takes another's name can throw a job back; it cannot end it.
/// </summary>
public sealed class HostilePeersTests
{
    private const int Epochs = 60;
    private const string Stranger = "stranger";
    private const long MostBytes = 32 << 20;

    private static readonly TrainingJob _job = Long(Jobs.Deep(stages: 3, microBatches: 3, replicas: 2));
    private static readonly PlainData _points = Jobs.Points();
    private static readonly string _weights = PlainInterpreter.Run(_job, _points).WeightsSha256;

    // What does not fit anything that runs here, though it is well formed.
    private static readonly (FrameKind Kind, int Edge, int Replica, int MicroBatch, ElementType Type, int[] Axes)[] _misfits =
    [
        (FrameKind.Activation, 1000, 0, 0, ElementType.Float32, [5, 16]),
        (FrameKind.Activation, 1, 9, 0, ElementType.Float32, [5, 16]),
        (FrameKind.Activation, 1, 0, 99, ElementType.Float32, [5, 16]),
        (FrameKind.Activation, 1, 0, 0, ElementType.Float32, [5, 17]),
        (FrameKind.Activation, 1, 0, 0, ElementType.Int32, [5, 16]),
        (FrameKind.Activation, 1, 0, 0, ElementType.Float32, []),
        (FrameKind.Activation, 1, 1, 0, ElementType.Float32, [int.MaxValue, 0]),
        (FrameKind.Delta, 1000, 0, 0, ElementType.Float32, [5, 16]),
        (FrameKind.Delta, 1, 0, 0, ElementType.Float32, [16]),
        (FrameKind.Delta, 1, 0, 0, ElementType.Float32, [int.MaxValue, 0]),
        (FrameKind.Delta, 1, 1, 0, ElementType.Float32, [int.MaxValue, 0]),
        (FrameKind.Targets, 0, 9, 0, ElementType.Int32, [5]),
        (FrameKind.Targets, 0, 0, 0, ElementType.Float32, [5]),
        (FrameKind.Contribution, 1000, 0, 0, ElementType.Float32, [5]),
        (FrameKind.Contribution, 1, 9, 0, ElementType.Float32, [5]),
        (FrameKind.Contribution, 1, 0, 0, ElementType.Float32, [1_000_000]),
        (FrameKind.Average, 1, 0, 0, ElementType.Int32, [5]),
        (FrameKind.Average, 1, 9, 0, ElementType.Float32, [5]),
        (FrameKind.Average, 1, 0, 7, ElementType.Float32, [5]),
        (FrameKind.State, 1, 0, 99, ElementType.Float32, [5]),
        (FrameKind.State, 1000, 0, 0, ElementType.Float32, [5]),
    ];

    // Of the right edge and replica, and larger than anything of this job: only the header comes.
    private static readonly (FrameKind Kind, ElementType Type, int[] Axes)[] _giants =
    [
        (FrameKind.Activation, ElementType.Float32, [25_000_000, 16]),
        (FrameKind.Delta, ElementType.Float32, [25_000_000, 16]),
        (FrameKind.Targets, ElementType.Int32, [400_000_000]),
        (FrameKind.Contribution, ElementType.Float32, [400_000_000]),
        (FrameKind.Average, ElementType.Float32, [400_000_000]),
        (FrameKind.State, ElementType.Float32, [400_000_000]),
    ];

    [Fact]
    public Task Noise_and_broken_hellos_do_not_show_in_the_bits() => WhileJobsRunAsync(async nodes =>
    {
        var noise = new Random(1);
        for (var round = 0; round < 1000; round++)
        {
            using var intruder = await Intruder.ConnectAsync(nodes.PortOf(round));
            switch (round % 4)
            {
                case 0:
                    var bytes = new byte[noise.Next(Hello.Bytes, 100_000)];
                    noise.NextBytes(bytes);
                    await intruder.TrySendAsync(bytes);
                    await intruder.AssertClosedAsync();
                    break;
                case 1: // gone in the middle of its hello
                    await intruder.SendAsync(Intruder.HelloOf(Stranger).AsMemory(0, noise.Next(1, Hello.Bytes)));
                    break;
                case 2: // does not know the secret, but the name of a node
                    await intruder.BeginAsync(Intruder.HelloOf("n1"));
                    await intruder.SendAsync(new byte[HelloProof.Bytes]);
                    await intruder.AssertClosedAsync();
                    break;
                default: // gone before its proof
                    await intruder.BeginAsync(Intruder.HelloOf("n1"));
                    break;
            }
        }
    });

    [Fact]
    public Task Malformed_frames_behind_a_good_hello_end_their_connection_alone() => WhileJobsRunAsync(async nodes =>
    {
        var noise = new Random(2);
        for (var round = 0; round < 1000; round++)
        {
            using var intruder = await Intruder.GreetAsync(nodes.PortOf(round), Stranger);
            var frame = Intruder.FrameOf(Living(nodes), ElementType.Float32, 5, 16);
            switch (round % 6)
            {
                case 0: // a huge length
                    frame.AsSpan(4, 4).Fill(0x7F);
                    break;
                case 1: // a huge shape
                    frame.AsSpan(44, 8).Fill(0x7F);
                    break;
                case 2: // nobody has heard of that job
                    noise.NextBytes(frame.AsSpan(8, 8));
                    break;
                case 3: // nor of that generation, yet
                    frame[24]++;
                    break;
                case 4: // generations begin at 1
                    frame[24] = 0;
                    break;
                default:
                    noise.NextBytes(frame);
                    break;
            }

            await intruder.TrySendAsync(frame);
            await intruder.AssertClosedAsync();
        }

        nodes.Violations.ShouldBe(1000);
    });

    [Fact]
    public Task What_fits_nothing_here_is_given_back() => WhileJobsRunAsync(async nodes =>
    {
        const int Rounds = 20;
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var (kind, edge, replica, microBatch, type, axes) in _misfits)
            {
                using var intruder = await Intruder.GreetAsync(nodes.PortOf(round), Stranger);
                var header = Living(nodes) with { Kind = kind, Edge = edge, Replica = replica, MicroBatch = microBatch };
                await intruder.TrySendAsync(
                    axes is [int.MaxValue, 0] ? OverflowingFrame(header) : Intruder.FrameOf(header, type, axes));

                // Where its job is over by now it is skipped: what is malformed is noticed behind it.
                await intruder.TrySendAsync(new byte[FrameHeader.Bytes]);
                await intruder.AssertClosedAsync();
            }
        }

        nodes.Violations.ShouldBe(Rounds * _misfits.Length);
    });

    // Each would take more than all nodes may have taken in the end.
    [Theory]
    [InlineData(Stranger)]
    [InlineData("n1")]
    public Task For_what_is_too_large_for_the_job_no_memory_is_taken(string name) => WhileJobsRunAsync(async nodes =>
    {
        for (var round = 0; round < 3; round++)
        {
            foreach (var (kind, type, axes) in _giants)
            {
                using var intruder = await Intruder.GreetAsync(nodes.PortOf(1), name);
                await intruder.TrySendAsync(Intruder.HeaderOf(Living(nodes) with { Kind = kind }, type, axes));
            }
        }

        nodes.Violations.ShouldBePositive();
    });

    [Fact]
    public Task Nobody_computes_with_what_a_stranger_sends() => WhileJobsRunAsync(async nodes =>
    {
        // Just what the layers wait for, at any step; but from none of their neighbours.
        const int Rounds = 200;
        const int Steps = 3 * Epochs;
        const int Examples = 5;
        var graph = Graph.Of(_job.Model, _job.Seed);
        var random = new Random(3);
        for (var round = 0; round < Rounds; round++)
        {
            using var intruder = await Intruder.GreetAsync(nodes.PortOf(round), Stranger);
            for (var frame = 0; frame < 8; frame++)
            {
                var header = Living(nodes) with
                {
                    Kind = frame % 2 == 0 ? FrameKind.Activation : FrameKind.Delta,
                    Edge = random.Next(graph.Edges.Length),
                    Replica = random.Next(2),
                    Step = random.Next(1, Steps),
                    MicroBatch = random.Next(3),
                };
                var shape = graph.ShapeOf(graph.Edges[header.Edge]).Stacked(Examples);
                await intruder.TrySendAsync(Intruder.FrameOf(header, ElementType.Float32, [.. shape.Axes]));
            }
        }
    });

    [Fact]
    public Task A_crowd_and_slow_senders_take_bounded_memory() => WhileJobsRunAsync(async nodes =>
    {
        const int Crowd = 10_000;
        const long MostManaged = 200 << 20;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var intruders = new List<Intruder>();
        try
        {
            for (var number = 0; number < 40; number++)
            {
                // Who says hello, and then a part of a header, is waited for.
                intruders.Add(await Intruder.GreetAsync(nodes.PortOf(number), Stranger));
                await intruders[^1].SendAsync(
                    Intruder.FrameOf(Living(nodes), ElementType.Float32, 1000, 16).AsMemory(0, 20 + number));
            }

            for (var number = 0; number < Crowd; number++)
            {
                intruders.Add(await Intruder.ConnectAsync(nodes.PortOf(number)));
                await intruders[^1].TrySendAsync(new byte[1 + (number % 90)]);
            }

            nodes.Strangers.ShouldBeLessThanOrEqualTo(nodes.Nodes.Length * 256);
            (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(MostManaged);
        }
        finally
        {
            intruders.ForEach(intruder => intruder.Dispose());
        }
    });

    [Theory]
    [InlineData("n1")]
    [InlineData("n2")]
    public async Task Who_takes_the_name_of_a_node_throws_a_job_back_and_is_named(string member)
    {
        await using var nodes = await LinkedNodes.StartAsync([1, 1, 1]);
        Intruder? intruder = null;
        var run = await nodes.TrainStepwiseAsync(_job, Data(), nodes.Nodes, 4, async (step, _) =>
        {
            if (step == Epochs)
            {
                intruder = await Intruder.GreetAsync(nodes.PortOf(2), member);
                await intruder.SendAsync(Intruder.FrameOf(Living(nodes) with { Edge = 1000 }, ElementType.Float32, 5, 16));
            }
        });
        intruder!.Dispose();
        run.Completed.WeightsSha256.ShouldBe(_weights);
        run.Completed.Recoveries.ShouldBe(1);
        run.Events.OfType<GenerationStarted>().ShouldContain(generation =>
            generation.Reason.Contains(member, StringComparison.Ordinal)
            && generation.Reason.Contains("that nobody here takes", StringComparison.Ordinal));
        await nodes.UntilAllIsGivenBackAsync();

        (await TrainAsync(nodes, _job)).Completed.WeightsSha256.ShouldBe(_weights);
        await nodes.UntilAllIsGivenBackAsync();
    }

    // One job after the other for as long as the attack lasts: so it is always one that runs which is attacked.
    private static async Task WhileJobsRunAsync(Func<LinkedNodes, Task> attack)
    {
        await using var nodes = await LinkedNodes.StartAsync([1, 1, 1]);
        var first = TrainAsync(nodes, _job);
        await nodes.UntilFramesAsync(1);
        var attacking = attack(nodes);
        for (var training = first; ; training = TrainAsync(nodes, _job))
        {
            var isLast = attacking.IsCompleted;
            (await training).Completed.WeightsSha256.ShouldBe(_weights);
            if (isLast)
            {
                break;
            }
        }

        await attacking;
        await nodes.UntilNobodyCallsAsync();
        await nodes.UntilAllIsGivenBackAsync();
        nodes.AllocatedBytes.ShouldBeLessThan(MostBytes);
        nodes.Blocks.ShouldBeLessThanOrEqualTo(256);
    }

    private static Task<LinkedRun> TrainAsync(LinkedNodes nodes, TrainingJob job) => nodes.TrainAsync(job, Data(), nodes.Nodes);

    private static DataSet Data() => new(
        Examples.OfFloats(_job.Model.Input, [.. _points.TrainFeatures.SelectMany(example => example)], _points.TrainLabels),
        Examples.OfFloats(_job.Model.Input, [.. _points.TestFeatures!.SelectMany(example => example)], _points.TestLabels!));

    private static TrainingJob Long(TrainingJob job, int epochs = Epochs) =>
        job with { Training = job.Training with { Epochs = epochs } };

    private static FrameHeader Living(LinkedNodes nodes) => new()
    {
        Job = JobHash.Of(nodes.NewestJob),
        Generation = 1,
        Kind = FrameKind.Activation,
        Step = 1,
        IsTraining = true,
        Edge = 1,
    };

    // No elements, and so no payload, but the longest first axis there is.
    private static byte[] OverflowingFrame(in FrameHeader header)
    {
        var frame = Intruder.FrameOf(header, ElementType.Float32, 1, 0);
        BitConverter.TryWriteBytes(frame.AsSpan(44), int.MaxValue).ShouldBeTrue();
        return frame;
    }
}
