using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>Scenarios are data, and checked as job files are.</summary>
public sealed class ScenarioFileTests
{
    [Fact]
    public void What_is_not_said_is_as_by_default()
    {
        var scenario = ScenarioFile.Parse("s.yaml", "mostNodes: 3\nkinds: { nodeCrashes: 2 }\nmessages: { lost: 0.5 }\n", out var errors)!;
        errors.ShouldBeEmpty();
        scenario.MostNodes.ShouldBe(3);
        scenario.Least.ShouldBe(Scenario.Default.Least);
        scenario.Longest.ShouldBe(Scenario.Default.Longest);
        scenario.Kinds.ShouldHaveSingleItem().ShouldBe(KeyValuePair.Create(FaultKind.NodeCrashes, 2.0));
        scenario.Messages.ShouldHaveSingleItem().ShouldBe(KeyValuePair.Create(MessageFault.Lost, 0.5));
    }

    [Theory]
    [InlineData("kinds: { nodeCrash: 1 }", "s.yaml:1:10 unknown key 'nodeCrash' in kinds")]
    [InlineData("messages: { lost: 2 }", "s.yaml:1:19 lost must be from 0 to 1 (was 2)")]
    [InlineData("faults: { least: 3, most: 2 }", "s.yaml:1:27 faults.most must be at least faults.least (was 2, and least 3)")]
    [InlineData("gap: { shortest: 1, longest: 0.5 }", "s.yaml:1:30 gap.longest must be at least gap.shortest (was 0.5, and shortest 1)")]
    [InlineData("withinSeconds: 0", "s.yaml:1:16 withinSeconds must be greater than 0")]
    public void What_is_wrong_is_told_with_its_place(string text, string error)
    {
        ScenarioFile.Parse("s.yaml", text, out var errors).ShouldBeNull();
        errors.ShouldHaveSingleItem().ToString().ShouldStartWith(error);
    }

    [Fact]
    public void Only_what_a_scenario_names_happens()
    {
        var scenario = ScenarioFile.Parse(
            "s.yaml", "faults: { least: 4, most: 4 }\nkinds: { linkBreaks: 1 }\nmessages: {}\n", out _)!;
        var run = new Checks.ClusterSimulation(DefaultJob.Load(), scenario).Run(1);
        run.Problems.ShouldBeEmpty();
        run.Faults.ShouldNotBeEmpty();
        run.Faults.ShouldAllBe(fault => fault.Kind == FaultKind.LinkBreaks);
        run.MessageFaults.Values.Sum().ShouldBe(0);
    }
}
