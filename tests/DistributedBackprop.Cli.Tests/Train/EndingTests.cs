using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Train;

/// <summary>Jobs that end before their time: by failure, or because somebody stops them.</summary>
public sealed class EndingTests
{
    [Fact]
    public async Task A_job_that_diverges_names_layer_step_and_reason()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("digits", ("learningRate: 0.1", "learningRate: 1e30"), ("examples: 8000", "examples: 500"));
        var run = await folder.RunAsync("train", job, "--json");
        run.ShouldEndWith(1);
        run.Last.EnumerateObject().Select(field => field.Name).ShouldBe(EventTests.Fields["failed"]);
        run.Last.Word().ShouldBe("failed");
        run.Last.GetProperty("step").GetInt64().ShouldBeInRange(1, 10);
        run.Last.GetProperty("layer").GetString()!.ShouldStartWith("dense");
        run.Last.GetProperty("reason").GetString()!.ShouldContain("not finite");
        run.Events.ShouldNotContain(happened => happened.Word() == "completed");

        (await folder.RunAsync("train", job)).ShouldEndWith(1, "failed at step", "in layer dense", "not finite");
    }

    [Theory]
    [InlineData("units: 180000000,")]
    [InlineData("units: 500000000,")]
    public async Task A_network_that_memory_cannot_hold_ends_in_words(string units)
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("train", folder.Job("xor", ("units: 8,", units)), "--json");
        run.ShouldShowNoStackTrace();
        run.ExitCode.ShouldBeOneOf(1, 2);
        (run.Output + run.Errors).ShouldContain("parameters");
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_full_disk_ends_in_words(bool json)
    {
        Skip.IfNot(File.Exists("/dev/full"), "This system has no /dev/full.");
        using var folder = new CommandFolder();
        var arguments = $"train '{ExampleJob.PathOf("xor")}' {(json ? "--json" : "")} > /dev/full";
        var run = await BackpropProcess.RunInShellAsync(folder.Path, arguments);
        run.ShouldEndWith(1, "backprop: ", "space");
    }

    [Theory]
    [InlineData("INT", true)]
    [InlineData("TERM", true)]
    [InlineData("INT", false)]
    public async Task A_signal_pauses_a_job_which_goes_on_when_it_is_started_again(string signal, bool json)
    {
        using var folder = new CommandFolder();
        var job = folder.Job("xor", ("epochs: 30", "epochs: 10000000"));
        var pausedAt = 0L;
        for (var start = 0; start < 2; start++)
        {
            using var process = BackpropProcess.Start(
                folder.Path, null, ["train", job, "--export", "weights", .. json ? ["--json"] : Array.Empty<string>()]);
            await (json
                ? process.ReadUntilAsync(line => line.Contains("progress", StringComparison.Ordinal))
                : process.UntilErrorsSayAsync("epoch "));
            process.Signal(signal);
            var run = await process.EndAsync();
            run.ShouldEndWith(130);
            Directory.GetFiles(folder.Path).ShouldBe([job], "a stopped job exports nothing");
            if (json)
            {
                run.Last.EnumerateObject().Select(field => field.Name).ShouldBe(EventTests.Fields["paused"]);
                run.Last.Word().ShouldBe("paused");
                run.Last.GetProperty("jobId").GetString().ShouldBe(run.Events[0].GetProperty("jobId").GetString());
                run.Events.SkipLast(1).ShouldAllBe(happened => happened.Word() != "paused");
                run.Events.Where(happened => happened.Word() == "progress")
                    .ShouldAllBe(happened => happened.GetProperty("step").GetInt64() > pausedAt);
                pausedAt = run.Last.GetProperty("step").GetInt64();
            }
            else
            {
                run.Errors.ShouldContain("paused after step");
                run.Output.ShouldBeEmpty();
            }
        }
    }

    [Fact]
    public async Task A_signal_before_training_stops_the_job_too()
    {
        using var folder = new CommandFolder();

        // Drawing so many digits takes long: the signal comes while the data is made.
        var job = folder.Job("digits", ("examples: 8000", "examples: 200000"), ("epochs: 10", "epochs: 100000"));
        using var process = BackpropProcess.Start(folder.Path, null, "train", job, "--json", "--verbose");
        await process.UntilErrorsSayAsync("kernels on");
        process.Signal("TERM");
        var run = await process.EndAsync();
        run.ShouldEndWith(130);
        run.Last.Word().ShouldBe("cancelled");
    }
}
