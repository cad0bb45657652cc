using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Explain;

/// <summary>What cannot be explained: a code for scripts, words for people, and no page left behind.</summary>
public sealed class ExplainFailureTests
{
    [Theory]
    [InlineData("--example 400", "--example must be 0 … 399 (was 400): the job has 400 training examples")]
    [InlineData("--example -1", "--example must be 0 … 2147483647 (was -1)")]
    [InlineData("--example one", "--example must be 0 … 2147483647 (was one)")]
    [InlineData("--example 390 --examples 11", "--examples must be 1 … 10 (was 11)", "from example 390 on")]
    [InlineData("--examples 0", "--examples must be 1 … 2147483647 (was 0)")]
    [InlineData("--step 391", "--step must be 0 … 390 (was 391): the job has so many steps")]
    [InlineData("--html EMPTY", "--html must not be empty")]
    [InlineData("--html nowhere/page.html", "nowhere/page.html: cannot be written")]
    [InlineData("--html .", ".: is a folder, not a file to write to")]
    [InlineData("--pauze", "unknown option or argument '--pauze'", "explain --help")]
    public async Task What_is_wrong_with_the_command_is_told(string arguments, params string[] expected)
    {
        using var folder = new CommandFolder();
        var words = arguments.Split(' ').Select(word => word == "EMPTY" ? "" : word);
        (await folder.RunAsync(["explain", ExampleJob.PathOf("xor"), .. words])).ShouldEndWith(2, expected);
        Directory.GetFileSystemEntries(folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_step_that_the_job_never_comes_to_is_told_with_the_one_at_which_it_stops()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("xor", ("epochs: 30", "epochs: 30\n  stopWhen: { trainLoss: 0.3 }"));
        var trained = await folder.RunAsync("train", job, "--json");
        var end = trained.Events.Single(happened => happened.Word() == "completed").GetProperty("steps").GetInt64();
        end.ShouldBeInRange(1, 389);
        (await folder.RunAsync("explain", job, "--step", $"{end + 1}", "--html", "page.html")).ShouldEndWith(
            2, $"--step must be 0 … {end} (was {end + 1})", $"what stopWhen names is met after step {end}");
        File.Exists(folder.At("page.html")).ShouldBeFalse();
        (await folder.RunAsync("explain", job, "--step", $"{end}")).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        using var folder = new CommandFolder();
        (await folder.RunAsync("explain", "nowhere.yaml")).ShouldEndWith(3, "nowhere.yaml: there is no such job file");
        (await folder.RunAsync("explain", ExampleJob.PathOf("mnist10k"), "--data-root", ".")).ShouldEndWith(3, "train-images-idx3-ubyte.gz: there is no file");
        (await folder.RunAsync("explain", ExampleJob.PathOf("xor"), "--init", "nowhere")).ShouldEndWith(3, "nowhere: there is no such file of parameters");
    }

    [Fact]
    public async Task An_interrupt_ends_it_while_it_trains()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("digits", ("epochs: 10", "epochs: 100000"));
        using var process = BackpropProcess.Start(folder.Path, null, "explain", job, "--step", "1000000", "--html", "page.html");
        await process.UntilErrorsSayAsync("trains 1,000,000 steps first");
        process.Signal("INT");
        (await process.EndAsync()).ShouldEndWith(130);
        File.Exists(folder.At("page.html")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_job_that_is_not_valid_is_told_as_everywhere()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("xor", ("batchSize: 32", "batchSize: 0"));
        (await folder.RunAsync("explain", job)).ShouldEndWith(2, "batchSize must be at least 1 (was 0)");
    }

    [Fact]
    public async Task Training_that_diverges_before_is_a_failure_with_its_layer()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("spirals", ("activation: tanh", "activation: relu"), ("adam: { learningRate: 0.005 }", "sgd: { learningRate: 1e30 }"));
        (await folder.RunAsync("explain", job, "--step", "20", "--html", "page.html")).ShouldEndWith(1, "failed at step", "diverged");
        File.Exists(folder.At("page.html")).ShouldBeFalse();
    }
}
