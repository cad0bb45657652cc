using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Train;

/// <summary>What people read where standard error is no terminal.</summary>
public sealed class PlainOutputTests
{
    [Fact]
    public async Task Results_go_to_standard_output_and_progress_to_standard_error()
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("train", ExampleJob.PathOf("xor"));
        var json = await folder.RunAsync("train", ExampleJob.PathOf("xor"), "--json");
        run.ExitCode.ShouldBe(0, run.Errors);
        run.Output.TrimEnd().Split('\n').Select(line => line[..15].TrimEnd())
            .ShouldBe(["steps", "train loss", "test loss", "test accuracy", "examples/s", "seconds", "weights sha256"]);
        Regex.IsMatch(run.Output, "^weights sha256 +[0-9a-f]{64}$", RegexOptions.Multiline).ShouldBeTrue();
        run.Output.ShouldContain(json.Sha256);

        run.Errors.ShouldContain("400 examples to train on, 200 to judge on, 390 steps of 32");
        run.Errors.ShouldContain("dense1");
        run.Errors.ShouldContain("dense + tanh");
        Regex.Count(run.Errors, @"^epoch \d+ train loss \S+ test loss \S+ test accuracy [\d.]+ %$", RegexOptions.Multiline)
            .ShouldBe(30);
        run.Errors.ShouldNotContain("\e", Case.Sensitive, "no terminal, no control sequences");
    }

    [Fact]
    public async Task Verbose_says_what_the_processor_offers_and_where_the_time_goes()
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("train", ExampleJob.PathOf("xor"), "--json", "--verbose");
        run.ExitCode.ShouldBe(0, run.Errors);
        Regex.IsMatch(run.Errors, "^kernels on (AVX2|AVX-512)$", RegexOptions.Multiline).ShouldBeTrue();
        run.Errors.ShouldContain("first step judged");
        run.Last.Word().ShouldBe("completed");
    }

    [Theory]
    [InlineData("--help", "train <JOB>")]
    [InlineData("train --help", "--data-root", "--threads", "--init", "--export", "--json", "--json-every", "--verbose", "--state")]
    public async Task Help_lists_what_there_is(string arguments, params string[] expected)
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync(arguments.Split(' '));
        run.ExitCode.ShouldBe(0, run.Errors);
        run.Errors.ShouldBeEmpty();
        foreach (var text in expected)
        {
            run.Output.ShouldContain(text);
        }
    }
}
