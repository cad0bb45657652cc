using System.Globalization;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;
using Xunit.Abstractions;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>Nodes come and go: however many there are when, one hash.</summary>
/// <remarks>A sample of the day; more: <c>backprop simulate --faults elastic --nodes N --seeds 100</c>.</remarks>
public sealed class ElasticTests(ITestOutputHelper output)
{
    private static readonly Expectation _expected = Expectation.Of(DefaultJob.Load());

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(8)]
    public void Schedules_of_joins_and_leaves_end_with_one_hash(int nodes)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seeds {FreshSeeds.First} … {FreshSeeds.First + 29}"));
        var simulation = new ClusterSimulation(DefaultJob.Load(), Scenario.Elastic, nodes, _expected);
        var runs = FreshSeeds.Take(30).Select(simulation.Run).ToList();
        runs.SelectMany(run => run.Problems).ShouldBeEmpty();
        runs.SelectMany(run => run.Faults).Select(fault => fault.Kind).Distinct()
            .ShouldBe([FaultKind.NodeJoins, FaultKind.NodeLeaves], ignoreOrder: true);
        runs.Max(run => run.Generations).ShouldBeGreaterThan(1);
    }
}
