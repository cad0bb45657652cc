using System.Globalization;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using Xunit.Abstractions;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>Each process is killed before and after each message and each write of a small job: nothing is lost, nothing twice.</summary>
/// <remarks>A sample of the day; all points: <c>backprop simulate --crash-points all --nodes 2</c>.</remarks>
public sealed class CrashSweepTests(ITestOutputHelper output)
{
    private const int Sample = 200;

    [Fact]
    public void A_sample_of_the_points_changes_no_bit()
    {
        var sweep = new CrashSweep(DefaultJob.LoadShort());
        sweep.Points.Length.ShouldBeGreaterThan(2000);
        sweep.Points.Select(point => point.Host).Distinct().ShouldBe(["coordinator", "n1", "n2"], ignoreOrder: true);
        sweep.Points.Count(point => point.Writes).ShouldBeGreaterThan(20);
        var draws = new KeyedGenerator(FreshSeeds.First, "crash-points");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Sample} of {sweep.Points.Length} points, drawn from seed {FreshSeeds.First}"));
        var wrong = new List<string>();
        for (var number = 0; number < Sample; number++)
        {
            var place = draws.Below(sweep.Points.Length);
            wrong.AddRange(sweep.Run(sweep.Points[place]).Problems
                .Select(problem => string.Create(CultureInfo.InvariantCulture, $"point {place}: {problem}")));
        }

        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void All_points_around_writes_change_no_bit()
    {
        var sweep = new CrashSweep(DefaultJob.LoadShort(), seed: 2);
        sweep.Points.Where(point => point.Writes).SelectMany(point => sweep.Run(point).Problems.Select(problem => $"{point}: {problem}"))
            .ShouldBeEmpty();
    }

    [Fact]
    public void A_point_that_is_not_reached_is_told()
    {
        var sweep = new CrashSweep(DefaultJob.LoadShort());
        sweep.Run(sweep.Points[^1] with { Actor = "another" }).IsRight.ShouldBeFalse();
        sweep.Run(sweep.Points[^1] with { Turn = long.MaxValue }).IsRight.ShouldBeFalse();
    }
}
