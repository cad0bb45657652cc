using System.Globalization;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Tests.SameBits;

namespace DistributedBackprop.Cli.Tests.Simulate;

/// <summary>The command <c>simulate</c>, as a program.</summary>
public sealed class SimulateTests
{
    // The long run is one by hand: --seeds 200, in two processes.
    private const string Seeds = "60";

    [Fact]
    public async Task Two_processes_do_the_same_and_sum_it_up()
    {
        using var folder = new CommandFolder();
        var begun = folder.RunAsync("simulate", "--seed", "5", "--seeds", Seeds, "--json", "--timeline", "t.svg");
        var again = await folder.RunAsync("simulate", "--seed", "5", "--seeds", Seeds, "--json");
        var run = await begun;
        run.ExitCode.ShouldBe(0, run.Errors);
        run.Last.GetProperty("event").GetString().ShouldBe("simulated");
        run.Last.GetProperty("seeds").GetInt32().ToString(CultureInfo.InvariantCulture).ShouldBe(Seeds);
        run.Last.GetProperty("mismatches").GetInt32().ShouldBe(0);
        run.Last.GetProperty("faults").GetInt64().ShouldBeGreaterThan(100);
        (await File.ReadAllTextAsync(folder.At("t.svg"))).ShouldStartWith("<svg ");
        again.Output.ShouldBe(run.Output);
        var other = await folder.RunAsync("simulate", "--seed", "6", "--seeds", "1", "--json");
        other.Last.GetProperty("traceSha256").GetString().ShouldNotBe(run.Last.GetProperty("traceSha256").GetString());
        other.Last.GetProperty("weightsSha256").GetString().ShouldBe(run.Last.GetProperty("weightsSha256").GetString());
    }

    [Fact]
    public async Task The_weights_are_those_that_train_trains()
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("simulate", ExampleJob.PathOf("xor"), "--seeds", "2", "--json");
        run.ExitCode.ShouldBe(0, run.Errors);
        run.Last.GetProperty("weightsSha256").GetString().ShouldBe(GoldenTests.WeightsOf("xor"));
    }

    [Fact]
    public async Task A_wrong_scenario_is_told_with_its_place()
    {
        using var folder = new CommandFolder();
        await File.WriteAllTextAsync(folder.At("s.yaml"), "kinds: { nodeCrash: 1 }\n");
        var run = await folder.RunAsync("simulate", "--faults", "s.yaml");
        run.ExitCode.ShouldBe(2);
        run.Errors.ShouldContain("s.yaml:1:10 unknown key 'nodeCrash' in kinds");
        (await folder.RunAsync("simulate", "--faults", "absent.yaml")).ExitCode.ShouldBe(3);
        foreach (var other in new[] { "--jobs", "--seeds", "--timeline", "--faults" })
        {
            var refused = await folder.RunAsync("simulate", "--crash-points", "0-1", other, "2");
            refused.ExitCode.ShouldBe(2);
            refused.Errors.ShouldContain($"{other} does not go with --crash-points");
        }

        (await folder.RunAsync("simulate", "--nodes", "0")).ExitCode.ShouldBe(2);
    }
}
