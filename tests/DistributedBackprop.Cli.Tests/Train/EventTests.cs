using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Train;

/// <summary>What <c>train --json</c> prints: the contract with programs.</summary>
public sealed class EventTests
{
    /// <summary>The fields of each event, in their order.</summary>
    internal static IReadOnlyDictionary<string, string[]> Fields { get; } = new Dictionary<string, string[]>
    {
        ["started"] = ["event", "jobId", "layers", "parameters", "nodes"],
        ["progress"] = ["event", "step", "epoch", "loss", "samplesPerSecond"],
        ["epoch"] = ["event", "epoch", "step", "trainLoss", "testLoss", "testAccuracy"],
        ["checkpoint"] = ["event", "step", "bytes"],
        ["completed"] =
        [
            "event", "jobId", "steps", "epochs", "trainLoss", "testLoss", "testAccuracy", "samplesPerSecond",
            "wallSeconds", "weightsSha256", "nodes", "recoveries",
        ],
        ["failed"] = ["event", "jobId", "step", "layer", "reason"],
        ["paused"] = ["event", "jobId", "step"],
        ["cancelled"] = ["event", "jobId"],
    };

    [Theory]
    [InlineData("xor", 400, 32, 100, 2, 33)]
    [InlineData("xor", 400, 32, 7, 2, 33)]
    [InlineData("xor", 400, 32, 1, 2, 33)]
    [InlineData("spirals", 1500, 64, 100, 3, null)]
    public async Task A_run_tells_its_story_in_order(
        string example, int examples, int batchSize, int every, int layers, int? parameters)
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync(
            "train", ExampleJob.PathOf(example), "--json", "--json-every", every.ToString(CultureInfo.InvariantCulture));
        run.ExitCode.ShouldBe(0, run.Errors);
        run.Errors.ShouldBeEmpty();

        // Where a job does not say how often it is saved, that depends on how long it takes.
        IReadOnlyList<JsonElement> events = [.. run.Events.Where(happened => happened.Word() != "checkpoint")];
        foreach (var happened in events)
        {
            happened.EnumerateObject().Select(field => field.Name).ShouldBe(Fields[happened.Word()]);
        }

        events[0].Word().ShouldBe("started");
        events[0].GetProperty("layers").GetInt32().ShouldBe(layers);
        events[0].GetProperty("nodes").GetInt32().ShouldBe(1);
        if (parameters is not null)
        {
            events[0].GetProperty("parameters").GetInt64().ShouldBe(parameters.Value);
        }

        events.Count(happened => happened.Word() == "started").ShouldBe(1);
        events.Count(happened => happened.Word() == "completed").ShouldBe(1);
        StepsAreInOrder(events, every, (examples + batchSize - 1) / batchSize);
        LastSaysWhatTheOthersSaid(events);
    }

    [Fact]
    public async Task Checkpoints_are_taken_in_their_order_and_do_not_show_in_the_weights()
    {
        using var folder = new CommandFolder();
        var plain = await folder.RunAsync("train", ExampleJob.PathOf("xor"), "--json");
        var saved = await folder.RunAsync("train", folder.Job("xor", ("training:\n", "checkpoints: { everySteps: 7 }\ntraining:\n")), "--json");
        saved.Sha256.ShouldBe(plain.Sha256);
        var checkpoints = saved.Events.Where(happened => happened.Word() == "checkpoint").ToList();
        checkpoints.Count.ShouldBeGreaterThan(3);
        foreach (var checkpoint in checkpoints)
        {
            checkpoint.EnumerateObject().Select(field => field.Name).ShouldBe(Fields["checkpoint"]);

            // 33 parameters and their momentum.
            checkpoint.GetProperty("bytes").GetInt64().ShouldBe(2 * 33 * sizeof(float));
            (checkpoint.GetProperty("step").GetInt64() % 7).ShouldBe(0);
        }

        var steps = checkpoints.Select(checkpoint => checkpoint.GetProperty("step").GetInt64()).ToList();
        steps.ShouldBe(steps.Distinct().Order());
    }

    [Fact]
    public async Task The_identity_of_a_job_is_its_content_not_its_place()
    {
        using var folder = new CommandFolder();
        var same = await folder.RunAsync("train", folder.Job("xor", ("# The smallest problem", "# The very smallest problem")), "--json");
        var first = await folder.RunAsync("train", ExampleJob.PathOf("xor"), "--json");
        var other = await folder.RunAsync("train", folder.Job("xor", ("seed: 1", "seed: 2")), "--json");
        IdOf(same).ShouldBe(IdOf(first));
        IdOf(other).ShouldNotBe(IdOf(first));
        other.Sha256.ShouldNotBe(first.Sha256);
        static string IdOf(Finished run) => run.Last.GetProperty("jobId").GetString()!;
    }

    [Fact]
    public async Task A_job_written_as_JSON_is_the_same_job()
    {
        const string Json = """
            {
              "name": "xor", "seed": 1,
              "data": { "format": "xor", "train": { "examples": 400 }, "test": { "examples": 200 }, "noise": 0.1 },
              "model": { "input": [2], "layers": [ { "dense": { "units": 8, "activation": "tanh" } }, { "dense": { "units": 1 } } ] },
              "loss": "binaryCrossEntropy",
              "optimizer": { "sgd": { "learningRate": 0.5, "momentum": 0.9 } },
              "training": { "batchSize": 32, "epochs": 30 }
            }
            """;
        using var folder = new CommandFolder();
        await File.WriteAllTextAsync(folder.At("xor.json"), Json);
        var json = await folder.RunAsync("train", "xor.json", "--json");
        var yaml = await folder.RunAsync("train", ExampleJob.PathOf("xor"), "--json");
        json.Sha256.ShouldBe(yaml.Sha256);
        json.Last.GetProperty("jobId").GetString().ShouldBe(yaml.Last.GetProperty("jobId").GetString());
    }

    private static void StepsAreInOrder(IReadOnlyList<JsonElement> events, int every, int stepsPerEpoch)
    {
        var steps = events.Count(happened => happened.Word() == "epoch") * stepsPerEpoch;
        var expected = from step in Enumerable.Range(1, steps)
                       let epoch = ((step - 1) / stepsPerEpoch) + 1
                       from line in new[]
                       {
                           step % every == 0 ? $"progress {step} {epoch}" : null,
                           step % stepsPerEpoch == 0 ? $"epoch {step} {epoch}" : null,
                       }
                       where line is not null
                       select line;
        events.Skip(1).SkipLast(1)
            .Select(happened => $"{happened.Word()} {happened.GetProperty("step")} {happened.GetProperty("epoch")}")
            .ShouldBe(expected);
    }

    private static void LastSaysWhatTheOthersSaid(IReadOnlyList<JsonElement> events)
    {
        var (epoch, completed) = (events[^2], events[^1]);
        foreach (var field in new[] { "trainLoss", "testLoss", "testAccuracy" })
        {
            completed.GetProperty(field).GetDouble().ShouldBe(epoch.GetProperty(field).GetDouble());
        }

        completed.Word().ShouldBe("completed");
        completed.GetProperty("jobId").GetString().ShouldBe(events[0].GetProperty("jobId").GetString());
        completed.GetProperty("steps").GetInt64().ShouldBe(epoch.GetProperty("step").GetInt64());
        completed.GetProperty("epochs").GetInt32().ShouldBe(epoch.GetProperty("epoch").GetInt32());
        completed.GetProperty("recoveries").GetInt32().ShouldBe(0);
        completed.GetProperty("samplesPerSecond").GetDouble().ShouldBeGreaterThan(0);
        completed.GetProperty("wallSeconds").GetDouble().ShouldBeGreaterThan(0);
        Regex.IsMatch(completed.GetProperty("weightsSha256").GetString()!, "^[0-9a-f]{64}$").ShouldBeTrue();
    }
}
