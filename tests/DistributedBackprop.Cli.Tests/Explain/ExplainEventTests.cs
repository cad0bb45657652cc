using System.Text.Json;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Training.Checkpoints;

namespace DistributedBackprop.Cli.Tests.Explain;

/// <summary>What <c>explain --json</c> prints: the contract with programs.</summary>
public sealed class ExplainEventTests
{
    /// <summary>The fields of each event, in their order.</summary>
    internal static IReadOnlyDictionary<string, string[]> Fields { get; } = new Dictionary<string, string[]>
    {
        ["example"] = ["event", "job", "example", "steps", "replica", "label", "shape", "input", "loss", "parameters", "layers", "says"],
        ["forward"] = ["event", "layer", "output", "function", "derivative", "weights", "bias", "says"],
        ["loss"] = ["event", "loss", "label", "value", "correct", "delta", "says"],
        ["delta"] = ["event", "layer", "delta", "inner", "parts", "entries", "reads", "says"],
        ["gradient"] = ["event", "layer", "gradient", "products", "quotients", "says"],
        ["update"] = ["event", "layer", "rate", "gradientNorm", "plain", "predicted", "actual", "lossBefore", "lossAfter", "says"],
        ["count"] = ["event", "withTable", "withoutTable", "paths", "run", "largestDifference", "says"],
        ["batch"] = ["event", "examples", "loss", "correct", "accuracy", "says"],
        ["health"] =
        [
            "event", "layer", "examples", "deltaSize", "deltaNorm", "gradientNorm", "parameterNorm", "dead", "saturated", "verdict", "says",
        ],
        ["explained"] = ["event", "job", "example", "step", "lossBefore", "lossAfter", "predicted", "says"],
    };

    [Fact]
    public async Task The_story_of_xor_is_told_in_order()
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("explain", ExampleJob.PathOf("xor"), "--json", "--example", "3");
        var events = EventsOf(run);
        events.Select(Told).ShouldBe(
        [
            "example", "forward dense1", "forward dense2", "loss", "delta dense2", "gradient dense2", "update dense2", "delta dense1",
            "gradient dense1", "update dense1", "count", "explained",
        ]);
        events[0].GetProperty("example").GetInt32().ShouldBe(3);
        events[0].GetProperty("parameters").GetInt64().ShouldBe(33);
        var count = events.Single(happened => happened.Word() == "count");
        (count.GetProperty("withTable").GetString(), count.GetProperty("withoutTable").GetString()).ShouldBe(("40", "72"));
        count.GetProperty("run").GetBoolean().ShouldBeTrue();
        count.GetProperty("largestDifference").GetDouble().ShouldBeLessThan(1e-6);
        SumsAndProductsShouldHold(events);
    }

    [Fact]
    public async Task Where_the_graph_forks_the_deltas_of_both_branches_are_told_and_added()
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("explain", ExampleJob.PathOf("residual"), "--json", "--examples", "20");
        var events = EventsOf(run);
        var fork = events.Single(happened => Told(happened) == "delta sum1");
        var parts = fork.GetProperty("parts").EnumerateArray().ToList();
        parts.Select(part => part.GetProperty("from").GetString()).ShouldBe(["dense4", "sum2"]);
        var (first, second) = (Values(parts[0].GetProperty("delta")), Values(parts[1].GetProperty("delta")));
        Values(fork.GetProperty("delta")).ShouldBe(first.Zip(second, (a, b) => a + b));
        fork.GetProperty("says").GetString()!.ShouldContain("forks");
        events.Count(happened => happened.Word() == "health").ShouldBe(11);
        events.Single(happened => happened.Word() == "count").GetProperty("run").GetBoolean().ShouldBeFalse();
        SumsAndProductsShouldHold(events);
    }

    [Fact]
    public async Task After_some_steps_the_weights_are_those_that_training_exports()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("xor", ("epochs: 30", "steps: 20"));
        (await folder.RunAsync("train", job, "--export", "after.safetensors")).ExitCode.ShouldBe(0);
        var stepped = EventsOf(await folder.RunAsync("explain", ExampleJob.PathOf("xor"), "--json", "--step", "20"));
        await using var stream = File.OpenRead(folder.At("after.safetensors"));
        var exported = SafetensorsFile.Read(stream, "after.safetensors").ToDictionary(tensor => tensor.Name, tensor => tensor.Data.ToArray());
        foreach (var forward in stepped.Where(happened => happened.Word() == "forward"))
        {
            var layer = forward.GetProperty("layer").GetString();
            Floats(forward.GetProperty("weights")).ShouldBe(exported[$"{layer}.weight"]);
            Floats(forward.GetProperty("bias")).ShouldBe(exported[$"{layer}.bias"]);
        }

        // The same weights from the file: the same way forward and back.
        var begun = EventsOf(await folder.RunAsync("explain", ExampleJob.PathOf("xor"), "--json", "--init", "after.safetensors"));
        foreach (var word in new[] { "forward", "loss", "delta", "gradient" })
        {
            begun.Where(happened => happened.Word() == word).Select(happened => happened.GetRawText())
                .ShouldBe(stepped.Where(happened => happened.Word() == word).Select(happened => happened.GetRawText()));
        }
    }

    [Fact]
    public async Task Where_replicas_average_parameters_it_is_said_whose_are_shown()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("xor", ("training:", "parallelism: { replicas: 2, averaging: { parameters: { every: 4 } } }\ntraining:"));
        var within = EventsOf(await folder.RunAsync("explain", job, "--json", "--step", "6"));
        within[0].GetProperty("replica").GetInt32().ShouldBe(0);
        Says(within[0]).ShouldContain("average their parameters every 4 steps");
        Says(within[0]).ShouldContain("replica 0, with its own parameters and its own optimizer state");
        Says(within[^1]).ShouldNotContain("round");
        var ending = EventsOf(await folder.RunAsync("explain", job, "--json", "--step", "7"));
        Says(ending[^1]).ShouldContain("This step ends a round");
        var alike = EventsOf(await folder.RunAsync("explain", ExampleJob.PathOf("xor"), "--json"));
        alike[0].GetProperty("replica").ValueKind.ShouldBe(JsonValueKind.Null);
        Says(alike[0]).ShouldNotContain("replica");
    }

    [Fact]
    public async Task A_batch_is_judged_as_a_minibatch_of_training_is()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("xor", ("epochs: 30", "steps: 21"), ("batchSize: 32", "batchSize: 400"), ("format: xor", "format: xor\n  shuffle: false"));
        var batch = EventsOf(await folder.RunAsync("explain", job, "--json", "--step", "20", "--examples", "400"))
            .Single(happened => happened.Word() == "batch");
        var trained = (await folder.RunAsync("train", job, "--json", "--json-every", "1")).Events
            .Single(happened => happened.Word() == "progress" && happened.GetProperty("step").GetInt64() == 21);
        batch.GetProperty("loss").GetDouble().ShouldBe(trained.GetProperty("loss").GetDouble());
        var correct = batch.GetProperty("correct").GetInt32();
        correct.ShouldBeInRange(1, 400);
        batch.GetProperty("accuracy").GetDouble().ShouldBe(correct / 400.0);
        Says(batch).ShouldContain("No layer starves");
    }

    [Fact]
    public async Task The_same_command_prints_the_same_bytes()
    {
        using var folder = new CommandFolder();
        string[] command = ["explain", ExampleJob.PathOf("spirals"), "--json", "--step", "30", "--example", "7", "--examples", "50"];
        (await folder.RunAsync(command)).Output.ShouldBe((await folder.RunAsync(command)).Output);
    }

    private static List<JsonElement> EventsOf(Finished run)
    {
        run.ExitCode.ShouldBe(0, run.Errors);
        run.Errors.ShouldBeEmpty();
        foreach (var happened in run.Events)
        {
            happened.EnumerateObject().Select(field => field.Name).ShouldBe(Fields[happened.Word()]);
            happened.GetProperty("says").GetString().ShouldNotBeNullOrWhiteSpace();
        }

        return [.. run.Events];
    }

    // What is shown adds up: δ is the sum of its terms, a gradient the product of δ and a, and close to its quotient.
    private static void SumsAndProductsShouldHold(List<JsonElement> events)
    {
        foreach (var entry in events.Where(happened => happened.Word() == "delta").SelectMany(delta => delta.GetProperty("entries").EnumerateArray()))
        {
            var terms = entry.GetProperty("terms").EnumerateArray()
                .Select(term => term.GetProperty("weight").GetDouble() * term.GetProperty("delta").GetDouble()).ToList();
            (terms.Sum() + entry.GetProperty("otherSum").GetDouble())
                .ShouldBe(entry.GetProperty("delta").GetDouble(), 1e-12 + (1e-4 * terms.Sum(Math.Abs)));
        }

        foreach (var gradient in events.Where(happened => happened.Word() == "gradient"))
        {
            var largest = gradient.GetProperty("quotients").GetProperty("largestGradient").GetDouble();
            foreach (var product in gradient.GetProperty("products").EnumerateArray())
            {
                var value = product.GetProperty("gradient").GetDouble();
                (product.GetProperty("delta").GetDouble() * product.GetProperty("activation").GetDouble()).ShouldBe(value, 1e-5 * largest);
                product.GetProperty("quotient").GetDouble().ShouldBe(value, 1e-3 * largest);
            }
        }
    }

    private static string Says(JsonElement happened) => happened.GetProperty("says").GetString()!;

    private static string Told(JsonElement happened) =>
        happened.TryGetProperty("layer", out var layer) ? $"{happened.Word()} {layer.GetString()}" : happened.Word();

    private static float[] Values(JsonElement vector) => Floats(vector.GetProperty("values"));

    private static float[] Floats(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetSingle())];
}
