using System.Globalization;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Simulation.Faults;
using Xunit.Abstractions;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>A check that cannot fail is none: each known mistake is found by the default scenario, and it is said how soon.</summary>
public sealed class KnownBugsTests(ITestOutputHelper output)
{
    private const int Seeds = 1000;

    [Fact]
    public void Every_known_bug_is_found_within_a_thousand_seeds()
    {
        var two = DefaultJob.Load();
        var three = SimulatedJob.Parse(DefaultJob.Text.Replace("replicas: 2", "replicas: 3", StringComparison.Ordinal));
        var ofTwo = Expectation.Of(two);
        var ofThree = Expectation.Of(three);
        var missed = new List<string>();
        foreach (var bug in KnownBugs.All)
        {
            var simulation = new ClusterSimulation(
                bug.NeedsThreeReplicas ? three : two, Scenario.Default, expected: bug.NeedsThreeReplicas ? ofThree : ofTwo)
            {
                Prepare = bug.Install,
            };
            var found = Enumerable.Range(1, Seeds).Select(seed => simulation.Run((ulong)seed)).FirstOrDefault(run => !run.IsRight);
            if (found is null)
            {
                missed.Add(bug.Name);
            }

            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{bug.Name,-76} {(found is null ? "not found" : $"seed {found.Seed}: {found.Problems[0].Split('\n')[0]}")}"));
        }

        KnownBugs.All.Count.ShouldBeGreaterThanOrEqualTo(20);
        missed.ShouldBeEmpty();
    }
}
