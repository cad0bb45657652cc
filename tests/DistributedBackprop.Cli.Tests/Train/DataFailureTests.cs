using System.Buffers.Binary;
using System.Text.Json;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Train;

/// <summary>Data files that are not there, damaged, or do not fit the job.</summary>
public sealed class DataFailureTests
{
    private const string Job = """
        name: small
        data:
          format: idx
          train: { features: x, labels: y }
        model:
          input: [2, 3]
          layers:
            - flatten
            - dense: { units: 4 }
        loss: softmaxCrossEntropy
        optimizer: { sgd: { learningRate: 0.1 } }
        training: { batchSize: 2, epochs: 1 }
        """;

    private static readonly byte[] _features = Idx(0x08, [5, 2, 3], [.. Enumerable.Range(0, 30).Select(i => (byte)i)]);
    private static readonly byte[] _labels = Idx(0x08, [5], [0, 1, 2, 3, 0]);

    [Fact]
    public async Task Sound_files_are_trained_on_and_without_a_test_set_its_numbers_are_null()
    {
        using var folder = Folder(_features, _labels);
        var run = await folder.RunAsync("train", "job.yaml", "--json");
        run.ExitCode.ShouldBe(0, run.Errors);
        foreach (var happened in run.Events.Where(happened => happened.Word() is "epoch" or "completed"))
        {
            happened.GetProperty("testLoss").ValueKind.ShouldBe(JsonValueKind.Null);
            happened.GetProperty("testAccuracy").ValueKind.ShouldBe(JsonValueKind.Null);
            happened.GetProperty("trainLoss").ValueKind.ShouldBe(JsonValueKind.Number);
        }
    }

    [Fact]
    public async Task Files_lie_in_the_data_root()
    {
        using var folder = Folder(_features, _labels);
        Directory.CreateDirectory(folder.At("elsewhere"));
        File.Move(folder.At("x"), folder.At("elsewhere/x"));
        File.Move(folder.At("y"), folder.At("elsewhere/y"));
        (await folder.RunAsync("train", "job.yaml")).ShouldEndWith(3, "no file");
        (await folder.RunAsync("train", "job.yaml", "--data-root", "elsewhere")).ExitCode.ShouldBe(0);
        (await folder.RunAsync("train", "job.yaml", "--data-root", "nowhere")).ShouldEndWith(3, "nowhere");
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_not_found() =>
        (await Train(_features, null)).ShouldEndWith(3, "y: there is no file");

    [Fact]
    public async Task A_wrong_magic_is_refused() =>
        (await Train([1, 2, .. _features[2..]], _labels)).ShouldEndWith(2, "x", "no IDX file");

    [Fact]
    public async Task A_truncated_file_is_refused()
    {
        (await Train(_features[..^1], _labels)).ShouldEndWith(2, "x");
        (await Train(_features[..7], _labels)).ShouldEndWith(2, "x");
        (await Train([], _labels)).ShouldEndWith(2, "x");
    }

    [Fact]
    public async Task A_damaged_gzip_is_refused() =>
        (await Train([0x1f, 0x8b, 8, 0, .. _features], _labels)).ShouldEndWith(2, "x");

    [Fact]
    public async Task Features_and_labels_of_different_number_are_refused() =>
        (await Train(_features, Idx(0x08, [4], [0, 1, 2, 3]))).ShouldEndWith(2, "has 5 examples", "4 labels");

    [Fact]
    public async Task A_label_that_the_output_does_not_know_is_refused() =>
        (await Train(_features, Idx(0x08, [5], [0, 1, 2, 3, 4]))).ShouldEndWith(2, "label 4 of example 4", "0 … 3");

    [Fact]
    public async Task Examples_that_the_model_does_not_take_are_refused()
    {
        var transposed = Idx(0x08, [5, 3, 3], new byte[45]);
        (await Train(transposed, _labels)).ShouldEndWith(2, "model.input", "[3, 3]", "[2, 3]");
    }

    [Fact]
    public async Task Generated_examples_that_the_model_does_not_take_are_refused()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("digits", ("input: [784]", "input: [785]"));
        (await folder.RunAsync("train", job)).ShouldEndWith(2, $"{job}:", "784", "[785]");
    }

    private static async Task<Finished> Train(byte[] features, byte[]? labels)
    {
        using var folder = Folder(features, labels);
        return await folder.RunAsync("train", "job.yaml");
    }

    private static CommandFolder Folder(byte[] features, byte[]? labels)
    {
        var folder = new CommandFolder();
        File.WriteAllText(folder.At("job.yaml"), Job);
        File.WriteAllBytes(folder.At("x"), features);
        if (labels is not null)
        {
            File.WriteAllBytes(folder.At("y"), labels);
        }

        return folder;
    }

    private static byte[] Idx(byte type, int[] axes, byte[] elements)
    {
        var header = new byte[4 + (4 * axes.Length)];
        (header[2], header[3]) = (type, (byte)axes.Length);
        for (var axis = 0; axis < axes.Length; axis++)
        {
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + (4 * axis)), axes[axis]);
        }

        return [.. header, .. elements];
    }
}
