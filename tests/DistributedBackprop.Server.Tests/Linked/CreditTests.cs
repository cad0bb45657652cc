using CsCheck;
using DistributedBackprop.Training.Tests.Interpreter;

namespace DistributedBackprop.Server.Tests.Linked;

/// <summary>
/// Whatever the graph, the schedule, the micro-batches and the places of a flow: no job stands still. Where one does,
/// <see cref="LinkedNodes.TrainAsync"/> gives it up long after its time.
/// </summary>
public sealed class CreditTests
{
    private const int Nodes = 12;

    private static readonly int[] _places = [1, 2, 3, 5];

    [Fact]
    public async Task Every_job_ends_with_its_bits_however_few_places_its_flows_have()
    {
        var linked = new Dictionary<int, LinkedNodes>();
        try
        {
            foreach (var places in _places)
            {
                linked[places] = await LinkedNodes.StartAsync(
                    [.. Enumerable.Repeat(1, Nodes)], settings => settings with { PlacesPerFlow = places });
            }

            var scattered = 0;
            Gen.Select(Any, Gen.Int[0, _places.Length - 1].Select(index => _places[index]), Gen.Int[1, 4]).Sample(
                (random, places, crowding) =>
                {
                    var nodes = linked[places];
                    var parts = random.Job.Parallelism.Replicas * random.Job.Parallelism.Stages;

                    // Mostly as many nodes as stages: then every message goes over a connection.
                    var used = Math.Clamp(crowding == 1 ? parts / 2 : parts, 1, Nodes);
                    var run = nodes.TrainAsync(random.Job, random.ToDataSet(), nodes.Nodes[..used]).GetAwaiter().GetResult();
                    run.ShouldHaveTheBitsOf(random);
                    nodes.UntilNothingIsHeldAsync().GetAwaiter().GetResult();
                    scattered += parts > 1 && run.Nodes.Count() == parts ? 1 : 0;
                },
                iter: Iterations,
                threads: 1);
            scattered.ShouldBeGreaterThan(Iterations / 5);
        }
        finally
        {
            foreach (var nodes in linked.Values)
            {
                await nodes.DisposeAsync();
            }
        }
    }

    private const int Iterations = 300;

    // Random jobs with more micro-batches and stages than they have by themselves.
    private static Gen<RandomJob> Any { get; } =
        from random in Gen.OneOf(new RandomJobs(), new RandomJobs(averagesParameters: true))
        from microBatches in Gen.Int[1, 9]
        from fewer in Gen.Int[0, 3]
        from replicas in Gen.Int[1, 3]
        select random with
        {
            Job = random.Job with
            {
                Training = random.Job.Training with { MicroBatches = microBatches },
                Parallelism = random.Job.Parallelism with
                {
                    Replicas = replicas,
                    Stages = Math.Max(1, random.Job.Model.Layers.Length - fewer),
                },
            },
        };
}
