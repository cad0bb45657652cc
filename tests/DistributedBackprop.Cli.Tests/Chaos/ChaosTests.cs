using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DistributedBackprop.Cli.Tests.Deployment;
using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Tests.SameBits;
using Xunit.Abstractions;

namespace DistributedBackprop.Cli.Tests.Chaos;

/// <summary>
/// A long job on a coordinator, three workers and PostgreSQL, of which any may be killed or frozen: its end is that of the
/// undisturbed run. <c>BACKPROP_CHAOS</c> names other plans than the three that are always run, such as <c>3,10-14</c>.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    private const int Epochs = 200;
    private const int StepsPerEpoch = 63;
    private const int Workers = 3;
    private const string AlwaysRun = "2,6,8";

    private static readonly Lazy<Task<Finished>> _undisturbed = new(async () =>
    {
        using var folder = new CommandFolder();
        return await folder.RunAsync("train", JobIn(folder), "--data-root", SharedData.FolderOf("mnist10k")!, "--json");
    });

    private static readonly string[] _ofEpochs = ["epoch", "step", "trainLoss", "testLoss", "testAccuracy"];

    public static TheoryData<int> Seeds => [.. Numbers(Environment.GetEnvironmentVariable("BACKPROP_CHAOS") ?? AlwaysRun)];

    [SkippableTheory]
    [MemberData(nameof(Seeds))]
    public async Task Whatever_is_killed_or_frozen_the_end_is_the_same(int seed)
    {
        Skip.If(DebianPostgreSql.Programs is null, "PostgreSQL is not installed (Debian: apt-get install postgresql)");
        Skip.IfNot(OperatingSystem.IsLinux(), "each service has a loopback address of its own, as Linux has them");
        var data = SharedData.FolderOf("mnist10k");
        Skip.If(data is null, "the MNIST digits of the tests are not beside the repository");
        using var folder = new CommandFolder();
        var job = JobIn(folder);
        var plan = ChaosPlan.Of(seed, Epochs * StepsPerEpoch, Workers);
        output.WriteLine($"plan {seed}: {string.Join(", ", plan.Select(blow => $"{blow.Blow} at {blow.Step} ({blow.Worker})"))}");

        var undisturbed = await _undisturbed.Value;
        using var cluster = await ComposedProcesses.UpAsync([.. ComposeFile.Services().Select(Open)], data);
        using var chaos = await ChaosRun.OfAsync(cluster, job, "chaos", plan);
        var run = chaos.Ended;

        output.WriteLine(cluster.Ends);
        run.Sha256.ShouldBe(undisturbed.Sha256, run.Errors);
        output.WriteLine(string.Join(", ", chaos.Recoveries.Select(recovery => $"{recovery.Blow}: {recovery.Took.TotalSeconds:F1} s")));

        cluster.Crashes.ShouldBe(0, cluster.Ends);

        // Exactly what the plan has caused; but where the cluster, on a machine that is busy with other things, had taken a node
        // for lost, that node ends, and the job goes on from its newest checkpoint once more.
        run.Last.GetProperty("recoveries").GetInt32().ShouldBeInRange(chaos.Losses, chaos.Losses + cluster.UnaskedEnds, run.Output);

        // Each loss is a sum over the examples of an epoch, and its bits depend on every update before: an example that was
        // left out or taken twice would show in them. Whoever watches last is told all of them, whoever has told them before.
        EpochsOf(run.Events).ShouldBe(EpochsOf(undisturbed.Events));
        EpochsOf(chaos.Epochs.Values).ShouldBe(EpochsOf(undisturbed.Events));

        // Every submission that was acknowledged is there, and comes to its end.
        var second = await cluster.ExecAsync("coordinator", "watch", ChaosRun.Second, "--json");
        second.Sha256.ShouldBe(GoldenTests.WeightsOf("xor"), second.Errors);
        var jobs = await cluster.ExecAsync("coordinator", "jobs", "--json");
        jobs.Events.Select(listed => (listed.GetProperty("jobId").GetString(), listed.GetProperty("state").GetString()))
            .ShouldBe([("chaos", "completed"), (ChaosRun.Second, "completed")]);
    }

    [Fact]
    public void The_plans_that_are_always_run_strike_everything()
    {
        var plans = Numbers(AlwaysRun).Select(seed => ChaosPlan.Of(seed, Epochs * StepsPerEpoch, Workers)).ToList();
        plans.ShouldAllBe(plan => plan.Count(blow => ChaosPlan.Hard.Contains(blow.Blow)) >= ChaosPlan.HardBlows);
        plans.SelectMany(plan => plan).Select(blow => blow.Blow).Intersect(ChaosPlan.Hard).Count().ShouldBe(ChaosPlan.Hard.Count);
    }

    private static IEnumerable<int> Numbers(string text)
    {
        return text.Split(',').Select(range => range.Split('-')).SelectMany(range => Between(Number(range[0]), Number(range[^1])));

        static int Number(string number) => int.Parse(number, CultureInfo.InvariantCulture);
        static IEnumerable<int> Between(int first, int last) => Enumerable.Range(first, last - first + 1);
    }

    // Without TLS, tensors go through shared memory where they can: the job is as fast as it may be, and as fragile.
    private static ComposeService Open(ComposeService service)
    {
        var text = service.Text.DeepClone().AsObject();
        if (text["environment"] is JsonObject environment)
        {
            foreach (var (name, value) in environment.ToList())
            {
                if (name.StartsWith("BACKPROP__TLS__", StringComparison.Ordinal))
                {
                    environment.Remove(name);
                }
                else
                {
                    environment[name] = value!.ToString().Replace("https://", "http://", StringComparison.Ordinal);
                }
            }

            environment["BACKPROP__THREADS"] = "1";
        }

        return service with { Text = text };
    }

    private static string JobIn(CommandFolder folder) =>
        folder.Job("mnist10k", ("epochs: 10", $"epochs: {Epochs}\n\nparallelism: {{ replicas: 4 }}\n"));

    // Without the numbers that a service gives its events.
    private static List<string> EpochsOf(IEnumerable<JsonElement> events) =>
    [
        .. events.Where(happened => happened.Word() == "epoch").Select(happened =>
            string.Join(' ', _ofEpochs.Select(name => happened.GetProperty(name).GetRawText()))),
    ];
}
