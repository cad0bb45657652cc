using System.Collections.Immutable;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;
using Xunit.Abstractions;

namespace DistributedBackprop.Simulation.Tests.Clusters;

/// <summary>
/// A sweep that finds nothing says something only if it could find something. These known mistakes show only where a process
/// dies, some only where it dies within a millisecond: the sweep names a point, and without the mistake nothing is wrong there.
/// </summary>
public sealed class CrashSweepMistakesTests(ITestOutputHelper output)
{
    private const int FarApart = 40;

    private static readonly CrashSweep _right = new(DefaultJob.LoadShort());

    // Some of all, far apart from the first on and none twice (in steps of the golden section), and those around writes.
    private static readonly ImmutableArray<CrashPoint> _points =
    [
        .. Enumerable.Range(1, FarApart).Select(number => _right.Points[(int)(number * 0.6180339887 % 1 * _right.Points.Length)]),
        .. _right.Points.Where(point => point.Writes),
    ];

    [Theory]
    [InlineData("an event is kept a moment after it was acknowledged", "takes job-simulated over as epoch 1")]
    [InlineData("the step to go on from is one too low", "the job is at step")]
    [InlineData("the step to go on from is one too high", "the job is at step")]
    [InlineData("the optimizer's state is forgotten in a new generation", "the weights are")]
    [InlineData("a vector of the state is not restored", "the weights are")]
    [InlineData("a checkpoint keeps an older vector", "the weights are")]
    [InlineData("a checkpoint is committed with a piece missing, and the one before removed", "the job is at step")]
    [InlineData("pieces of a checkpoint are not checked when they are read", "the weights are")]
    [InlineData("the sums of the epoch's metrics are forgotten", "an epoch ends as")]
    public void The_sweep_finds_a_known_mistake_and_names_its_point(string name, string problem)
    {
        var bug = KnownBugs.All.Append(KnownBugs.KeptBehind).Single(bug => bug.Name == name);
        var sweep = new CrashSweep(DefaultJob.LoadShort(), prepare: bug.Install);
        var found = _points
            .Select(point => (Point: point, Run: sweep.Run(point)))
            .FirstOrDefault(tried => !tried.Run.IsRight);
        found.Point.ShouldNotBeNull();
        output.WriteLine($"{name}: {found.Point}: {found.Run.Problems[0]}");
        found.Run.Problems.ShouldContain(told => told.Contains(problem, StringComparison.Ordinal));

        // It is the mistake that was found, not the crash.
        _right.Run(found.Point).Problems.ShouldBeEmpty();
    }
}
