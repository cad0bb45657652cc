using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Explain;

/// <summary>What <c>explain</c> prints for people.</summary>
public sealed class WalkTests
{
    [Fact]
    public async Task Xor_is_walked_through_forward_and_back()
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("explain", ExampleJob.PathOf("xor"), "--pause");
        run.ExitCode.ShouldBe(0, run.Errors);
        string[] screens = ["the example", "forward: dense1", "forward: dense2", "the loss", "back: dense2", "back: dense1", "with the table and without it"];
        var places = screens.Select(screen => run.Output.IndexOf($"── {screen} ──", StringComparison.Ordinal)).ToList();
        places.ShouldAllBe(place => place >= 0);
        places.ShouldBe(places.Order());
        run.Output.ShouldContain("0.2758·0.461");
        run.Output.ShouldContain("−η‖g‖²");
        run.Output.ShouldContain("40 multiplications; without it, 72 over 33 paths");
        run.Output.ShouldContain("Both were really");
    }

    [Fact]
    public async Task Large_layers_are_summed_up()
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("explain", ExampleJob.PathOf("residual"));
        run.ExitCode.ShouldBe(0, run.Errors);
        run.Output.ShouldContain("96 numbers, norm");
        run.Output.ShouldContain("The graph forks here: sum1 is read by dense4 and sum2");
        run.Output.ShouldContain("That second number is computed");
        run.Output.Split('\n').ShouldAllBe(line => line.Length <= 120);
    }

    [Fact]
    public async Task A_layer_that_starves_is_named()
    {
        using var folder = new CommandFolder();
        var deep = string.Concat(Enumerable.Repeat("    - dense: { units: 8, activation: sigmoid }\n", 8));
        var job = folder.Job("xor", ("    - dense: { units: 8, activation: tanh }\n", deep));
        var run = await folder.RunAsync("explain", job, "--examples", "100");
        run.ExitCode.ShouldBe(0, run.Errors);
        run.Output.ShouldContain("dense1 starves: its deltas are");
        run.Output.ShouldNotContain("dense9 starves");
        Regex.IsMatch(run.Output, @"Over 100 examples from number 0 on the mean loss is 0\.\d+; \d+ of them \([\d.]+ %\) are judged right\.").ShouldBeTrue(run.Output);
        var sound = await folder.RunAsync("explain", ExampleJob.PathOf("xor"), "--examples", "100");
        sound.Output.ShouldContain("No layer starves");
    }
}
