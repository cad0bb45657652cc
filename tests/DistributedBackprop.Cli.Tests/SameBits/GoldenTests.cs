using System.Text.Json;
using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.SameBits;

/// <summary>The weights of this version, for every example job: on any machine, today and tomorrow.</summary>
public sealed class GoldenTests
{
    private const string Golden = "tests/DistributedBackprop.Cli.Tests/SameBits/weights.json";

    private static readonly Dictionary<string, string> _golden =
        JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(RepositoryRoot.File(Golden)))!;

    [Fact]
    public void Every_example_job_has_golden_weights() =>
        Directory.GetFiles(RepositoryRoot.File("deploy/jobs")).Select(Path.GetFileNameWithoutExtension).ShouldBeSubsetOf(_golden.Keys);

    [Theory]
    [InlineData("xor", 0.99)]
    [InlineData("spirals", 0.95)]
    [InlineData("digits", 0.95)]
    [InlineData("residual", 0.93)]
    public async Task Weights_are_those_of_this_version(string example, double testAccuracy)
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("train", ExampleJob.PathOf(example), "--json");
        ShouldBeGolden(run, example);
        run.Last.GetProperty("testAccuracy").GetDouble().ShouldBeGreaterThanOrEqualTo(testAccuracy);
    }

    [SkippableTheory]
    [InlineData("mnist10k", 1)]
    [InlineData("mnist10k on 2 replicas", 2)]
    public async Task MNIST_is_learned_and_weights_are_those_of_this_version(string name, int replicas)
    {
        var data = SharedData.FolderOf("mnist10k");
        Skip.If(data is null, "shared/data/mnist10k is in no folder above.");
        using var folder = new CommandFolder();
        var job = folder.Job("mnist10k", ("training:\n", $"parallelism: {{ replicas: {replicas} }}\ntraining:\n"));
        var run = await folder.RunAsync("train", job, "--data-root", data!, "--json");
        ShouldBeGolden(run, name);
        run.Last.GetProperty("testAccuracy").GetDouble().ShouldBeGreaterThanOrEqualTo(0.955);
    }

    /// <summary>The hash of an example job's weights in this version.</summary>
    internal static string WeightsOf(string name) => _golden[name];

    private static void ShouldBeGolden(Finished run, string name)
    {
        var sha256 = run.Sha256;
        if (sha256 != _golden[name])
        {
            Assert.Fail(
                $"Other bits for '{name}': {sha256} instead of {_golden[name]}. A change of bits is a decision, not an accident: "
                + "if it is meant, say so in the commit, raise <Version> in Directory.Build.props, and write the new hash into "
                + Golden);
        }
    }
}
