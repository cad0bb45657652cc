using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Train;

/// <summary>Command lines and job files that cannot be carried out: a code for scripts, words for people.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("", "Required command", "--help")]
    [InlineData("trian JOB", "unknown command 'trian'", "allowed: train")]
    [InlineData("train", "JOB", "train --help")]
    [InlineData("train JOB --treads 3", "unknown option or argument '--treads'", "train --help")]
    [InlineData("train JOB extra", "unknown option or argument 'extra'")]
    [InlineData("train JOB --threads 0", "--threads must be 1 … 1024 (was 0)")]
    [InlineData("train JOB --threads -1", "--threads must be 1 … 1024 (was -1)")]
    [InlineData("train JOB --threads two", "--threads must be 1 … 1024 (was two)")]
    [InlineData("train JOB --threads 99999999999", "--threads must be 1 … 1024 (was 99999999999)")]
    [InlineData("train JOB --threads", "--threads")]
    [InlineData("train JOB --json --json-every 0", "--json-every must be 1 … 2147483647 (was 0)")]
    [InlineData("train EMPTY", "JOB must not be empty")]
    [InlineData("train JOB --export EMPTY", "--export must not be empty")]
    [InlineData("train JOB --init EMPTY", "--init must not be empty")]
    [InlineData("train JOB --data-root EMPTY", "--data-root must not be empty")]
    public async Task A_wrong_command_line_is_told(string arguments, params string[] expected)
    {
        using var folder = new CommandFolder();
        var words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word switch
        {
            "JOB" => ExampleJob.PathOf("xor"),
            "EMPTY" => "",
            _ => word,
        });
        (await folder.RunAsync(words)).ShouldEndWith(2, expected);
    }

    [Fact]
    public async Task A_job_file_that_is_not_there_is_not_found()
    {
        using var folder = new CommandFolder();
        (await folder.RunAsync("train", "nowhere.yaml", "--json")).ShouldEndWith(3, "nowhere.yaml: there is no such job file");
        (await folder.RunAsync("train", folder.Path)).ShouldEndWith(3, $"{folder.Path}: is a folder, not a job file");
    }

    [Fact]
    public async Task All_that_is_wrong_with_a_job_is_told_at_once_with_its_place()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("xor", ("batchSize: 32", "batchSize: 0"), ("activation: tanh", "activation: tahn"), ("epochs: 30", "epochz: 30"));
        var run = await folder.RunAsync("train", job);
        run.ShouldEndWith(2, "batchSize must be at least 1 (was 0)", "did you mean 'tanh'", "did you mean 'epochs'");
        foreach (var line in run.Errors.TrimEnd().Split('\n'))
        {
            line.ShouldMatch($@"^{Regex.Escape(job)}:\d+:\d+ .+");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("\0\u0001binary")]
    [InlineData("- just\n- a list")]
    [InlineData("a: &a [*a]")]
    public async Task A_file_that_is_no_job_is_refused(string content)
    {
        using var folder = new CommandFolder();
        await File.WriteAllTextAsync(folder.At("job.yaml"), content);
        (await folder.RunAsync("train", "job.yaml")).ShouldEndWith(2, "job.yaml:");
    }
}
