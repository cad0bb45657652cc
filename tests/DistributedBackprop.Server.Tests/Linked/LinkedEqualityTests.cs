using System.Collections.Immutable;
using CsCheck;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>Over connections, and wherever it is placed, a job has the bits of the plain interpreter.</summary>
public sealed class LinkedEqualityTests
{
    [Theory]
    [InlineData(false, 8, 16 << 20)]
    [InlineData(true, 8, 16 << 20)]
    [InlineData(false, 8, 4096)]
    [InlineData(true, 1, 4096)]
    [InlineData(false, 1, 0)]
    [InlineData(true, 8, 0)]
    public async Task Random_jobs_on_random_nodes_have_the_bits_of_the_plain_interpreter(
        bool averagesParameters, int places, int ringBytes)
    {
        await using var linked = await LinkedNodes.StartAsync(
            [1, 2, 1, 2], settings => settings with { PlacesPerFlow = places, RingBytes = ringBytes });
        var remote = 0;
        Gen.Select(new RandomJobs(averagesParameters), Gen.Int[1, 15]).Sample(
            (random, subset) =>
            {
                var nodes = Subset(linked.Nodes, subset);
                var run = linked.TrainAsync(random.Job, random.ToDataSet(), nodes).GetAwaiter().GetResult();
                run.ShouldHaveTheBitsOf(random);
                remote += run.Nodes.Any(node => node.Links.Any(link => link.To != JobKeeper.Name && link.Activations + link.Averaging > 0)) ? 1 : 0;
                linked.UntilNothingIsHeldAsync().GetAwaiter().GetResult();
            },
            iter: 100,
            threads: 1);
        remote.ShouldBeGreaterThan(30);
    }

    // 20,000 × 4,096 numbers each way.
    [Fact]
    public async Task A_cut_that_carries_328_MB_trains_on_two_nodes_as_on_one()
    {
        const int Examples = 20_000;
        await using var linked = await LinkedNodes.StartAsync([1, 1]);
        var deep = Jobs.Deep(stages: 2);
        var job = deep with
        {
            Model = new Model(deep.Model.Input, [
                new ModelLayer("wide", [Model.InputName], new DenseKind(4096, null, true, new Initializer(InitializerKind.Default)), 1),
                new ModelLayer("narrow", ["wide"], new DenseKind(2, null, true, new Initializer(InitializerKind.Default)), 1),
            ]),
            Training = new TrainingPlan { BatchSize = Examples, Steps = 2 },
        };
        var data = new DataSet(
            Training.Data.Examples.OfFloats(
                job.Model.Input,
                [.. Enumerable.Range(0, 2 * Examples).Select(number => number % 101 / 101f)],
                [.. Enumerable.Range(0, Examples).Select(example => example / 7 % 2)]),
            null);
        var alone = await linked.TrainAsync(job, data, linked.Nodes[..1]);
        var cut = await linked.TrainAsync(job, data, linked.Nodes);
        cut.Completed.WeightsSha256.ShouldBe(alone.Completed.WeightsSha256);
        cut.Completed.Recoveries.ShouldBe(0);
        cut.Nodes.Sum(node => node.Links.Sum(link => link.Activations)).ShouldBeGreaterThan(2L * Examples * 4096 * sizeof(float));
        await linked.UntilNothingIsHeldAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nodes_that_come_and_go_do_not_show_in_the_bits(bool averagesParameters)
    {
        await using var linked = await LinkedNodes.StartAsync([1, 1, 2, 1]);
        var moved = 0;
        Gen.Select(new RandomJobs(averagesParameters), Gen.Int[1, 15], Gen.Int[1, 15], Gen.Int[1, 15], Gen.Int[1, 4]).Sample(
            (random, first, second, third, step) =>
            {
                var changes = new Dictionary<long, ImmutableArray<NodeInfo>>
                {
                    [step] = Changed(linked.Nodes, first, second),
                    [step + 3] = Changed(linked.Nodes, first | second, third),
                };
                var run = linked.TrainAsync(random.Job, random.ToDataSet(), Subset(linked.Nodes, first), changes)
                    .GetAwaiter().GetResult();
                run.ShouldHaveTheBitsOf(random);
                moved += run.Generations.Length - 1;
                linked.UntilNothingIsHeldAsync().GetAwaiter().GetResult();
            },
            iter: 250,
            threads: 1);
        moved.ShouldBeGreaterThan(100, "moves");
    }

    private static ImmutableArray<NodeInfo> Subset(ImmutableArray<NodeInfo> nodes, int bits) =>
        [.. nodes.Where((_, index) => (bits & (1 << index)) != 0)];

    // Those that are no longer wanted leave politely: they are there until nothing runs on them.
    private static ImmutableArray<NodeInfo> Changed(ImmutableArray<NodeInfo> nodes, int before, int after) =>
    [
        .. nodes
            .Where((_, index) => ((before | after) & (1 << index)) != 0)
            .Select(node => (after & (1 << nodes.IndexOf(node))) != 0 ? node : node with { Presence = NodePresence.Leaving }),
    ];
}
