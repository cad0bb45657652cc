using System.Text.Json;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Cli.Simulate;
using DistributedBackprop.Simulation.Checks;
using DistributedBackprop.Simulation.Clusters;

namespace DistributedBackprop.Cli.Tests.Simulate;

/// <summary>What <c>simulate --crash-points</c> says of a point at which something is wrong.</summary>
public sealed class CrashSweepRunTests
{
    private const int Point = 1800;

    [Fact]
    public void A_point_at_which_something_is_wrong_is_named_and_the_command_fails()
    {
        var sweep = new CrashSweep(DefaultJob.LoadShort(), prepare: cluster => cluster.FrameInterceptor = ForgetOptimizer);
        var (exitCode, output, errors) = Run(sweep);
        exitCode.ShouldBe(ExitCode.JobFailed);
        output.ShouldContain("mismatches                1");
        errors.ShouldContain($"point {Point}, {sweep.Points[Point]}: the weights are ");
        errors.ShouldContain($"point {Point} again: backprop simulate --nodes 2 --seed 1 --crash-points {Point}-{Point}");
    }

    [Fact]
    public void Where_nothing_is_wrong_nothing_is_named()
    {
        var (exitCode, output, errors) = Run(new CrashSweep(DefaultJob.LoadShort()));
        exitCode.ShouldBe(ExitCode.Done);
        output.ShouldContain("mismatches                0");
        errors.ShouldBeEmpty();
    }

    [Fact]
    public void Programs_are_told_as_of_any_simulation()
    {
        var sweep = new CrashSweep(DefaultJob.LoadShort());
        var (_, output, _) = Run(sweep, json: true);
        var told = JsonDocument.Parse(output).RootElement;
        told.GetProperty("event").GetString().ShouldBe("simulated");
        (told.GetProperty("seeds").GetInt32(), told.GetProperty("mismatches").GetInt32(), told.GetProperty("faults").GetInt32()).ShouldBe((1, 0, 1));
        told.GetProperty("messages").GetInt64().ShouldBeGreaterThan(100);
        told.GetProperty("virtualSeconds").GetDouble().ShouldBeGreaterThan(0);
        told.GetProperty("weightsSha256").GetString().ShouldBe(sweep.WeightsSha256);
    }

    [Fact]
    public void Points_that_there_are_not_are_refused()
    {
        var sweep = new CrashSweep(DefaultJob.LoadShort());
        var refused = Should.Throw<CommandException>(() => Run(sweep, first: sweep.Points.Length));
        refused.ExitCode.ShouldBe(ExitCode.Invalid);
        refused.Message.ShouldContain($"0-{sweep.Points.Length - 1}");
    }

    private static (int ExitCode, string Output, string Errors) Run(CrashSweep sweep, bool json = false, int first = Point)
    {
        var options = new SimulateOptions(null, null, 0, 2, 1, 1, SimulateRun.DefaultFaults, (first, 1), null, json);
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var exitCode = new CrashSweepRun(sweep, options, output, errors).Run(CancellationToken.None);
        return (exitCode, output.ToString(), errors.ToString());
    }

    private static ArrivingFrame ForgetOptimizer(ArrivingFrame frame) =>
        frame is { To: not SimulatedCluster.Coordinator, Header: { Kind: FrameKind.State, MicroBatch: > 0 } }
            ? frame with { Payload = new byte[frame.Payload.Length] }
            : frame;
}
