using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Train;

/// <summary><c>--export</c> and <c>--init</c>: parameters go out and come in as safetensors.</summary>
public sealed class ParameterFileTests
{
    private const string Weights = "weights.safetensors";

    [Fact]
    public async Task What_is_exported_is_what_was_hashed()
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("train", ExampleJob.PathOf("spirals"), "--export", Weights, "--json");
        var file = SafetensorsBytes.Read(folder.At(Weights));
        file.DataSha256.ShouldBe(run.Sha256);
        file.Tensors.Select(tensor => $"{tensor.Name} {string.Join('×', tensor.Shape)}").ShouldBe(
        [
            "dense1.weight 64×2", "dense1.bias 64", "dense2.weight 64×64", "dense2.bias 64", "dense3.weight 3×64", "dense3.bias 3",
        ]);
        file.Tensors.ShouldAllBe(tensor =>
            file.Elements(tensor.Name).Length == tensor.Shape.Aggregate(1, (length, axis) => length * axis));
        Directory.GetFiles(folder.Path).Select(Path.GetFileName).ShouldBe([Weights], "and nothing else is left behind");
    }

    [Fact]
    public async Task Training_begins_with_what_it_is_given()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("xor", ("epochs: 30", "steps: 40"));
        var fresh = await folder.RunAsync("train", job, "--export", Weights, "--json", "--json-every", "1");
        var warm = await folder.RunAsync("train", job, "--init", Weights, "--json", "--json-every", "1");
        FirstLossOf(warm).ShouldBeLessThan(FirstLossOf(fresh));
        warm.Sha256.ShouldNotBe(fresh.Sha256);
        warm.Last.GetProperty("jobId").GetString().ShouldNotBe(fresh.Last.GetProperty("jobId").GetString());

        // Without a gradient to follow, what goes in comes out.
        var still = folder.Job("xor", ("epochs: 30", "steps: 3"), ("learningRate: 0.5", "learningRate: 1e-38"));
        (await folder.RunAsync("train", still, "--init", Weights, "--json")).Sha256.ShouldBe(fresh.Sha256);
        static double FirstLossOf(Finished run) =>
            run.Events.First(happened => happened.Word() == "progress").GetProperty("loss").GetDouble();
    }

    [Fact]
    public async Task Parameters_of_another_network_are_refused()
    {
        using var folder = new CommandFolder();
        await folder.RunAsync("train", ExampleJob.PathOf("xor"), "--export", Weights);
        (await folder.RunAsync("train", folder.Job("xor", ("units: 8", "units: 9")), "--init", Weights)).ShouldEndWith(
            2, $"{Weights}: tensor dense1.weight must be [9, 2] (was [8, 2])", "dense1.bias", "dense2.weight");
        (await folder.RunAsync("train", ExampleJob.PathOf("spirals"), "--init", Weights)).ShouldEndWith(
            2, "tensor dense3.weight [3, 64] is missing");

        var file = SafetensorsBytes.Read(folder.At(Weights));
        var renamed = file.Header["dense2.bias"]!.DeepClone();
        file.Header.Remove("dense2.bias");
        file.Header["dense2.biased"] = renamed;
        file.Write(folder.At("renamed.safetensors"));
        (await folder.RunAsync("train", ExampleJob.PathOf("xor"), "--init", "renamed.safetensors")).ShouldEndWith(
            2, "tensor dense2.bias [1] is missing", "the model has no parameter dense2.biased");
    }

    [Fact]
    public async Task Damaged_parameters_are_refused()
    {
        using var folder = new CommandFolder();
        await folder.RunAsync("train", ExampleJob.PathOf("xor"), "--export", Weights);
        var sound = await File.ReadAllBytesAsync(folder.At(Weights));
        byte[][] damaged =
        [
            [], sound[..5], sound[..40], sound[..^1], [.. sound, 0], [.. sound[..8], (byte)'?', .. sound[9..]],
            [.. Enumerable.Repeat((byte)255, 8), .. sound[8..]],
        ];
        foreach (var bytes in damaged)
        {
            await File.WriteAllBytesAsync(folder.At("damaged.safetensors"), bytes);
            (await folder.RunAsync("train", ExampleJob.PathOf("xor"), "--init", "damaged.safetensors"))
                .ShouldEndWith(2, "damaged.safetensors: ");
        }
    }

    [Fact]
    public async Task Parameters_that_are_not_there_are_not_found()
    {
        using var folder = new CommandFolder();
        (await folder.RunAsync("train", ExampleJob.PathOf("xor"), "--init", "nowhere.safetensors"))
            .ShouldEndWith(3, "nowhere.safetensors: there is no such file of parameters");
        (await folder.RunAsync("train", ExampleJob.PathOf("xor"), "--init", folder.Path)).ShouldEndWith(3, "is a folder");
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_to_is_refused_before_training()
    {
        using var folder = new CommandFolder();

        // So long a job that the test would run out of time if it were trained first.
        var job = folder.Job("xor", ("epochs: 30", "epochs: 10000000"));
        (await folder.RunAsync("train", job, "--export", "nowhere/weights")).ShouldEndWith(2, "nowhere/weights", "cannot be written");
        (await folder.RunAsync("train", job, "--export", folder.Path)).ShouldEndWith(2, "is a folder");
    }

    [Fact]
    public async Task An_export_that_fails_after_training_is_a_failure()
    {
        using var folder = new CommandFolder();
        Directory.CreateDirectory(folder.At("out"));
        var job = folder.Job("xor", ("epochs: 30", "epochs: 2000"));
        using var process = BackpropProcess.Start(folder.Path, null, "train", job, "--export", "out/weights", "--json");
        await process.ReadUntilAsync(line => line.Contains("progress", StringComparison.Ordinal));
        Directory.Delete(folder.At("out"), recursive: true);
        var run = await process.EndAsync();
        run.ShouldEndWith(1);
        run.Last.Word().ShouldBe("failed");
        run.Last.GetProperty("reason").GetString()!.ShouldContain("cannot be written");
        run.Events.ShouldNotContain(happened => happened.Word() == "completed");
    }

    [Fact]
    public async Task A_job_that_fails_exports_nothing()
    {
        using var folder = new CommandFolder();
        await File.WriteAllTextAsync(folder.At(Weights), "the last good ones");
        var job = folder.Job("digits", ("learningRate: 0.1", "learningRate: 1e30"), ("examples: 8000", "examples: 500"));
        (await folder.RunAsync("train", job, "--export", Weights)).ShouldEndWith(1);
        (await File.ReadAllTextAsync(folder.At(Weights))).ShouldBe("the last good ones");
    }
}
