using System.Globalization;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;
using Xunit.Abstractions;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>Whatever happens to a cluster: one hash, each step told once, nothing kept.</summary>
public sealed class ManySeedsTests(ITestOutputHelper output)
{
    private const string AveragesParameters =
        "{ parameters: { every: 3, outer: { learningRate: 0.7, momentum: 0.5, nesterov: true }, innerState: average } }";

    // What found a defect once, each in the program as it was then.
    private static readonly ulong[] _once = [13, 217, 508, 608, 1004, 2124, 2328, 2650, 3191, 3924, 2762, 5415];

    private static readonly ClusterSimulation _gradients = new(DefaultJob.Load(), Scenario.Default);
    private static readonly ClusterSimulation _parameters = new(WithAveraging(AveragesParameters), Scenario.Default);

    [Fact]
    public void Fifty_fixed_seeds_and_those_that_once_found_something()
    {
        AssertRight(_gradients, Enumerable.Range(1, 25).Select(seed => (ulong)seed).Concat(_once));
        AssertRight(_parameters, Enumerable.Range(1, 25).Select(seed => (ulong)seed));
    }

    [Fact]
    public void Three_hundred_fresh_seeds()
    {
        var first = FreshSeeds.First;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seeds {first} … {first + 299}"));
        AssertRight(_gradients, FreshSeeds.Take(200));
        AssertRight(_parameters, FreshSeeds.Take(100, from: 200));
    }

    [Theory]
    [InlineData("gradients", "1f1b", 2)]
    [InlineData("gradients", "gpipe", 2)]
    [InlineData("gradients", "1f1b", 3)]
    [InlineData(AveragesParameters, "1f1b", 2)]
    [InlineData(AveragesParameters, "gpipe", 1)]
    public void Where_nothing_happens_the_number_of_nodes_does_not_show(string averaging, string schedule, int stages)
    {
        var job = WithAveraging(averaging, schedule, stages);
        var expected = Expectation.Of(job).WeightsSha256;
        foreach (var nodes in new[] { 1, 2, 3, 4, 8 })
        {
            using var cluster = new SimulatedCluster((ulong)nodes, job, nodes);
            cluster.RunToEnd();
            cluster.WeightsSha256.ShouldBe(expected);
            cluster.Events.Last().ShouldBeOfType<Training.Jobs.TrainingCompleted>().Nodes.ShouldBe(Math.Min(nodes, 2 * stages));
        }
    }

    [Fact]
    public void A_seed_replays_every_message_and_another_one_does_not()
    {
        for (var seed = 1UL; seed <= 10; seed++)
        {
            var run = _gradients.Run(seed);
            _gradients.Run(seed).TraceHash.ShouldBe(run.TraceHash);
            _gradients.Run(seed + 100).TraceHash.ShouldNotBe(run.TraceHash);
        }
    }

    [Fact]
    public void After_the_last_fault_a_job_ends_soon()
    {
        var simulation = new ClusterSimulation(DefaultJob.Load(), Scenario.Liveness);
        var summary = new SimulationSummary();
        foreach (var run in FreshSeeds.Take(100).Select(simulation.Run))
        {
            run.Problems.ShouldBeEmpty();
            summary.Add(run);
        }

        summary.Calm.ShouldBeGreaterThan(50);
    }

    [Fact]
    public void Where_nothing_can_be_done_there_is_an_end_of_trying()
    {
        var scenario = Scenario.Default with { MostNodes = 4, Kinds = Scenario.None.Kinds.Add(FaultKind.NodeJoins, 1) };
        var run = new ClusterSimulation(DefaultJob.Load(), scenario) { Prepare = cluster => cluster.Disk.IsAway = true }.Run(1);
        run.Effective.ShouldBe(0);
        run.WasCalm.ShouldBeTrue();
        run.Problems.ShouldHaveSingleItem().ShouldContain("after the last fault (it must be over)");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Messages_overtake_one_another_only_where_the_weather_is_rough(bool isRough)
    {
        using var cluster = new SimulatedCluster(1, DefaultJob.Load());
        cluster.Weather.SetRate(MessageFault.OutOfOrder, 0.1);
        cluster.Weather.SetRate(MessageFault.Late, 0.1);
        cluster.Weather.IsRough = isRough;
        cluster.RunToEnd();
        if (isRough)
        {
            cluster.Overtaken.ShouldBeGreaterThan(20);
        }
        else
        {
            cluster.Overtaken.ShouldBe(0);
        }
    }

    [Fact]
    public void Every_kind_of_fault_comes()
    {
        var summary = new SimulationSummary();
        for (var seed = 1UL; seed <= 60; seed++)
        {
            var run = _gradients.Run(seed);
            run.Effective.ShouldBeGreaterThanOrEqualTo(Scenario.Default.Least);
            summary.Add(run);
        }

        summary.FewestFaults.ShouldBeGreaterThanOrEqualTo(Scenario.Default.Least);
        summary.Faults.Keys.ShouldBe(Scenario.Default.Kinds.Keys, ignoreOrder: true);
        summary.MessageFaults.Keys.ShouldBe(Enum.GetValues<MessageFault>(), ignoreOrder: true);
    }

    private void AssertRight(ClusterSimulation simulation, IEnumerable<ulong> seeds)
    {
        var wrong = seeds.Select(simulation.Run).Where(run => !run.IsRight).ToList();
        foreach (var run in wrong)
        {
            output.WriteLine(new Timeline(run).ToText());
        }

        wrong.Select(run => $"{run.Seed}: {run.Problems[0]}").ShouldBeEmpty();
    }

    private static SimulatedJob WithAveraging(string averaging, string schedule = "1f1b", int stages = 2) => SimulatedJob.Parse(DefaultJob.Text
        .Replace("averaging: gradients", $"averaging: {averaging}", StringComparison.Ordinal)
        .Replace("schedule: 1f1b", $"schedule: {schedule}", StringComparison.Ordinal)
        .Replace("stages: 2", string.Create(CultureInfo.InvariantCulture, $"stages: {stages}"), StringComparison.Ordinal));
}
