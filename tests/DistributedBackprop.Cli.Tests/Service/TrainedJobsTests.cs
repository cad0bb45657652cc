using System.Diagnostics;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Tests.SameBits;
using DistributedBackprop.Cli.Tests.Train;

namespace DistributedBackprop.Cli.Tests.Service;

/// <summary><c>train</c> and a node that serves keep their jobs in one place, under one <c>--state</c>.</summary>
public sealed class TrainedJobsTests
{
    private static readonly TimeSpan _settlesWithin = TimeSpan.FromSeconds(30);

    private static readonly (string, string)[] _long = [("epochs: 10", "epochs: 240"), ("examples: 2000", "examples: 200")];

    [Fact]
    public async Task A_node_has_the_jobs_that_train_has_run_and_train_goes_on_with_those_that_were_stopped()
    {
        using var folder = new CommandFolder();
        string[] state = ["--state", folder.At("state")];
        var (killedJob, pausedJob) = (folder.Job("digits", [.. _long, ("seed: 7", "seed: 8")]), folder.Job("digits", _long));
        var undisturbed = await folder.RunAsync("train", killedJob, "--json", "--state", "other");
        var done = await folder.RunAsync(["train", ExampleJob.PathOf("xor"), "--json", .. state]);
        var killed = await StoppedAsync(folder, killedJob, "KILL", state);
        var paused = await StoppedAsync(folder, pausedJob, "INT", state);
        var doneId = done.Last.GetProperty("jobId").GetString()!;

        using (var node = await ServiceProcess.StartAsync(folder, state))
        {
            // That nobody here goes on with the killed one is written down first.
            var clock = Stopwatch.StartNew();
            List<(string?, string?)> jobs;
            do
            {
                jobs = StatesOf(await node.RunAsync("jobs", "--json"));
            }
            while (jobs.Contains((killed, "running")) && clock.Elapsed < _settlesWithin);

            jobs.ShouldBe([(doneId, "completed"), (killed, "paused"), (paused, "paused")]);

            // All that the service knows of its own jobs it knows of these.
            var watched = await node.RunAsync("watch", doneId, "--json");
            watched.Sha256.ShouldBe(GoldenTests.WeightsOf("xor"));
            watched.Events.Where(happened => happened.Word() == "epoch").Select(happened => happened.GetRawText())
                .ShouldBe(done.Events.Where(happened => happened.Word() == "epoch").Select(happened => happened.GetRawText()));
            var exported = await node.RunAsync("export", doneId, "weights.safetensors");
            exported.ExitCode.ShouldBe(ExitCode.Done, exported.Errors);
            SafetensorsBytes.Read(folder.At("weights.safetensors")).DataSha256.ShouldBe(GoldenTests.WeightsOf("xor"));

            // Its data may be anywhere, and its first parameters those of a file.
            var refused = await node.RunAsync("resume", killed);
            refused.ExitCode.ShouldBe(ExitCode.JobFailed);
            refused.Errors.ShouldContain("'backprop train'");
            await node.KillAsync();
        }

        var last = await folder.RunAsync(["train", killedJob, "--json", .. state]);
        last.ShouldEndWith(0);
        last.Events.First(happened => happened.Word() == "generation").GetProperty("step").GetInt64().ShouldBeGreaterThan(0);
        last.Sha256.ShouldBe(undisturbed.Sha256);
        last.Last.GetProperty("recoveries").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Train_leaves_the_jobs_of_the_service_as_they_are()
    {
        using var folder = new CommandFolder();
        string[] state = ["--state", folder.At("state")];
        using (var node = await ServiceProcess.StartAsync(folder, state))
        {
            var longJob = folder.Job("xor", ("epochs: 30", "epochs: 1000000"));
            (await node.RunAsync("submit", longJob, "--id", "long")).ExitCode.ShouldBe(ExitCode.Done);
            (await node.RunAsync("submit", ExampleJob.PathOf("xor"), "--id", "waits")).ExitCode.ShouldBe(ExitCode.Done);
            await node.KillAsync();
        }

        var trained = await folder.RunAsync(["train", ExampleJob.PathOf("xor"), "--json", .. state]);
        trained.ShouldEndWith(0);
        trained.Sha256.ShouldBe(GoldenTests.WeightsOf("xor"));

        using var again = await ServiceProcess.StartAsync(folder, state);
        StatesOf(await again.RunAsync("jobs", "--json"))
            .ShouldBe([("long", "running"), ("waits", "waiting"), (trained.Last.GetProperty("jobId").GetString(), "completed")]);
        await again.KillAsync();
    }

    private static List<(string? Job, string? State)> StatesOf(Finished jobs) =>
        [.. jobs.Events.Select(job => (job.GetProperty("jobId").GetString(), job.GetProperty("state").GetString()))];

    // Returns the job's id.
    private static async Task<string> StoppedAsync(CommandFolder folder, string job, string signal, string[] state)
    {
        using var process = BackpropProcess.Start(folder.Path, null, ["train", job, "--json", "--json-every", "10", .. state]);
        await process.ReadUntilAsync(line => line.Contains("\"checkpoint\"", StringComparison.Ordinal));
        process.Signal(signal);
        return (await process.EndAsync()).Events[0].GetProperty("jobId").GetString()!;
    }
}
