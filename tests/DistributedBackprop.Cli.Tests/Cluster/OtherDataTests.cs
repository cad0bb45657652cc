using System.Buffers.Binary;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>A node whose files are not those of the job takes no part in it.</summary>
public sealed class OtherDataTests
{
    private const int Examples = 600;
    private const int Pixels = 784;

    [Theory]
    [InlineData("train-labels-idx1-ubyte")]
    [InlineData("t10k-images-idx3-ubyte")]
    public async Task One_other_byte_and_the_node_is_refused_with_both_fingerprints(string file)
    {
        using var right = new CommandFolder();
        using var wrong = new CommandFolder();
        WriteData(right);
        WriteData(wrong);
        FlipLastBit(wrong.At(file));
        var job = right.Job(
            "mnist10k", (".gz", ""), ("epochs: 10", "epochs: 3"), ("training:\n", "parallelism: { replicas: 2 }\ntraining:\n"));
        var run = JobRuns.Read(job, right.Path);
        string[] reason = ["wrong is refused: ", JobRuns.Read(job, wrong.Path).Data.Fingerprint, $"not {run.Data.Fingerprint}"];
        await using var nodes = await OuterNodes.StartAsync();

        await nodes.AddAsync(wrong.Path, "wrong");
        using var alone = await nodes.RunAsync(run, _ => Task.CompletedTask);
        var failed = alone.Outcome.ShouldBeOfType<TrainingFailed>();
        reason.ShouldAllBe(words => failed.Reason.Contains(words));

        await nodes.AddAsync(right.Path, "right");
        var generations = new List<GenerationStarted>();
        using var result = await nodes.RunAsync(run, happened =>
        {
            if (happened is GenerationStarted generation)
            {
                generations.Add(generation);
            }

            return Task.CompletedTask;
        });
        var told = generations.ShouldHaveSingleItem();
        reason.ShouldAllBe(words => told.Reason.Contains(words));
        told.Placement.Nodes.ShouldBe(["right"]);
        result.Sha256().ShouldBe(await JobRuns.InProcessAsync(run));
    }

    [Fact]
    public async Task Files_that_are_replaced_between_two_jobs_are_read_again()
    {
        using var folder = new CommandFolder();
        WriteData(folder);
        var job = folder.Job(
            "mnist10k", (".gz", ""), ("epochs: 10", "epochs: 1"), ("training:\n", "parallelism: { replicas: 2 }\ntraining:\n"));
        await using var nodes = await OuterNodes.StartAsync();
        await nodes.AddAsync(folder.Path, "first", "second");
        var hashes = new HashSet<string>();
        for (var round = 0; round < 3; round++)
        {
            var run = JobRuns.Read(job, folder.Path);
            using var result = await nodes.RunAsync(run, _ => Task.CompletedTask);
            result.Sha256().ShouldBe(await JobRuns.InProcessAsync(run));
            hashes.Add(result.Sha256()).ShouldBe(round != 1, "the second job has the data of the first");
            if (round == 1)
            {
                FlipLastBit(folder.At("train-images-idx3-ubyte"));
            }
        }
    }

    private static void WriteData(CommandFolder folder)
    {
        foreach (var set in new[] { "train", "t10k" })
        {
            File.WriteAllBytes(
                folder.At($"{set}-images-idx3-ubyte"),
                [.. Header(3, Examples, 28, 28), .. Enumerable.Range(0, Examples * Pixels).Select(i => (byte)(i * 7 % 251))]);
            File.WriteAllBytes(
                folder.At($"{set}-labels-idx1-ubyte"),
                [.. Header(1, Examples), .. Enumerable.Range(0, Examples).Select(i => (byte)(i % 10))]);
        }
    }

    // The format of LeCun's files: two zeros, 8 for bytes, the number of axes, and the length of each, big-endian.
    private static byte[] Header(byte axes, params int[] lengths)
    {
        var header = new byte[4 + (4 * lengths.Length)];
        (header[2], header[3]) = (8, axes);
        for (var axis = 0; axis < lengths.Length; axis++)
        {
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + (4 * axis)), lengths[axis]);
        }

        return header;
    }

    private static void FlipLastBit(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}
