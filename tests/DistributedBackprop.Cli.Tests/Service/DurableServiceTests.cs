using System.Text.Json;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Tests.SameBits;
using DistributedBackprop.Cli.Tests.Train;

namespace DistributedBackprop.Cli.Tests.Service;

/// <summary>A node that keeps its jobs is killed and started again.</summary>
public sealed class DurableServiceTests
{
    [Fact]
    public async Task Jobs_outlive_the_node_that_took_them()
    {
        using var folder = new CommandFolder();
        string[] flags = ["--state", folder.At("state")];
        var epochs = new List<JsonElement>();
        var longJob = folder.Job("xor", ("epochs: 30", "epochs: 1000000"));
        using (var first = await ServiceProcess.StartAsync(folder, flags))
        {
            (await first.RunAsync("submit", longJob, "--id", "long")).ExitCode.ShouldBe(ExitCode.Done);
            (await first.RunAsync("submit", ExampleJob.PathOf("xor"), "--id", "waits")).ExitCode.ShouldBe(ExitCode.Done);
            (await first.RunAsync("submit", ExampleJob.PathOf("xor"), "--id", "aside")).ExitCode.ShouldBe(ExitCode.Done);
            (await first.RunAsync("pause", "aside")).ExitCode.ShouldBe(ExitCode.Done);
            using var watch = first.Start("watch", "long", "--json");
            await watch.ReadUntilAsync(line =>
            {
                var happened = JsonDocument.Parse(line).RootElement;
                if (happened.Word() == "epoch")
                {
                    epochs.Add(happened);
                }

                return happened.Word() == "checkpoint";
            });
            var refused = await first.RunAsync(["node", "--roles", "coordinator", "--name", "two", "--service-port", "0", .. flags]);
            refused.ExitCode.ShouldBe(ExitCode.JobFailed);
            refused.Errors.ShouldContain("is in use by process ");
            await first.KillAsync();
        }

        using var second = await ServiceProcess.StartAsync(folder, flags);
        var jobs = await second.RunAsync("jobs", "--json");
        jobs.Events.Select(job => (job.GetProperty("jobId").GetString(), job.GetProperty("state").GetString()))
            .ShouldBe([("long", "running"), ("waits", "waiting"), ("aside", "paused")]);
        (await second.RunAsync("submit", longJob, "--id", "long")).ExitCode.ShouldBe(ExitCode.Done);
        var other = await second.RunAsync("submit", ExampleJob.PathOf("xor"), "--id", "long");
        other.ExitCode.ShouldNotBe(ExitCode.Done);
        other.Errors.ShouldContain("the id 'long' names another job");

        (await second.RunAsync("cancel", "long")).ExitCode.ShouldBe(ExitCode.Done);
        var cancelled = await second.RunAsync("watch", "long", "--json", "--json-every", "1000000");
        var later = cancelled.Events.Where(happened => happened.Word() == "epoch").ToList();
        epochs.Count.ShouldBeGreaterThan(0);
        later.Take(epochs.Count).Select(happened => happened.GetRawText()).ShouldBe(epochs.Select(happened => happened.GetRawText()));
        later.Select(happened => happened.GetProperty("epoch").GetInt32()).ShouldBe(Enumerable.Range(1, later.Count));
        var waited = await second.RunAsync("watch", "waits", "--json");
        waited.ExitCode.ShouldBe(ExitCode.Done, waited.Errors);
        waited.Sha256.ShouldBe(GoldenTests.WeightsOf("xor"));
        await second.KillAsync();

        using var third = await ServiceProcess.StartAsync(folder, flags);
        var left = await third.RunAsync("jobs", "--json");
        left.Events.Select(job => job.GetProperty("state").GetString()).ShouldBe(["cancelled", "completed", "paused"]);

        // What they have trained is there, whoever trained it.
        var exported = await third.RunAsync("export", "waits", "weights.safetensors");
        exported.ExitCode.ShouldBe(ExitCode.Done, exported.Errors);
        SafetensorsBytes.Read(folder.At("weights.safetensors")).DataSha256.ShouldBe(GoldenTests.WeightsOf("xor"));
        await File.WriteAllLinesAsync(folder.At("examples"), ["0 0", "0 1", "1 0", "1 1"]);
        var predicted = await third.RunAsync("predict", "waits", "examples", "--json");
        predicted.Events.Select(example => example.GetProperty("class").GetInt32()).ShouldBe([0, 1, 1, 0]);
        predicted.Last.GetProperty("step").GetInt64().ShouldBe(left.Events.Single(job => job.GetProperty("jobId").GetString() == "waits").GetProperty("step").GetInt64());
        var newest = await third.RunAsync("predict", "long", "examples", "--json");
        newest.ExitCode.ShouldBe(ExitCode.Done, newest.Errors);
        newest.Last.GetProperty("step").GetInt64().ShouldBeGreaterThan(0);
        var nothing = await third.RunAsync("predict", "aside", "examples");
        nothing.ExitCode.ShouldBe(ExitCode.JobFailed);
        nothing.Errors.ShouldContain("job 'aside' has no weights");
    }

    [Theory]
    [InlineData("Backprop:State and Database must not both be given", "--roles", "coordinator", "--state", "here", "--database", "Host=h;Database=d;Password=geheim")]
    [InlineData("Backprop:State is for nodes that may coordinate", "--seeds", "127.0.0.1:1", "--state", "here")]
    [InlineData("Backprop:Database must be a connection string", "--roles", "coordinator", "--database", "geheim")]
    [InlineData("Backprop:Database must be a connection string", "--roles", "coordinator", "--database", "Pass=geheim;Host=h")]
    [InlineData("database d at 127.0.0.1:1 cannot be reached within 1 s", "--roles", "coordinator", "--join-deadline", "1", "--database", "Host=127.0.0.1;Port=1;Database=d;Username=u;Password=geheim")]
    public async Task What_is_refused_is_named_without_its_secrets(string words, params string[] flags)
    {
        using var folder = new CommandFolder();
        var environment = new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = folder.At("config") };
        var run = await BackpropProcess.RunAsync(folder.Path, environment, ["node", "--service-port", "0", .. flags]);
        run.ExitCode.ShouldNotBe(ExitCode.Done);
        run.Errors.ShouldContain(words);
        (run.Errors + run.Output).ShouldNotContain("geheim");
    }
}
