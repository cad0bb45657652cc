using DistributedBackprop.Actors.Journal;
using DistributedBackprop.Cli.Tests.Running;
using Microsoft.Data.Sqlite;

namespace DistributedBackprop.Cli.Tests.Train;

/// <summary>What <c>train</c> keeps under <c>--state</c>.</summary>
public sealed class DurableTests
{
    private static readonly (string, string)[] _long = [("epochs: 10", "epochs: 240"), ("examples: 2000", "examples: 200")];

    [Fact]
    public async Task A_job_that_is_killed_again_and_again_ends_with_the_same_weights_and_tells_each_step_once()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("digits", _long);
        var undisturbed = await folder.RunAsync("train", job, "--json", "--state", "other");
        undisturbed.ShouldEndWith(0);
        var step = 0L;
        for (var kills = 0; kills < 3; kills++)
        {
            using var process = BackpropProcess.Start(folder.Path, null, "train", job, "--json", "--json-every", "10");
            await process.ReadUntilAsync(line => line.Contains("\"checkpoint\"", StringComparison.Ordinal));
            process.Signal("KILL");
            var run = await process.EndAsync();
            var checkpoint = run.Events.Last(happened => happened.Word() == "checkpoint").GetProperty("step").GetInt64();
            checkpoint.ShouldBeGreaterThan(step);
            step = checkpoint;
        }

        var last = await folder.RunAsync("train", job, "--json", "--json-every", "1");
        last.ShouldEndWith(0);
        last.Events.First(happened => happened.Word() == "generation").GetProperty("step").GetInt64().ShouldBeGreaterThanOrEqualTo(step);
        last.Last.GetProperty("weightsSha256").GetString().ShouldBe(undisturbed.Last.GetProperty("weightsSha256").GetString());
        last.Last.GetProperty("recoveries").GetInt32().ShouldBe(3);
        var steps = last.Events.Where(happened => happened.Word() == "progress").Select(happened => happened.GetProperty("step").GetInt64());
        steps.ShouldBeInOrder();
        steps.ShouldBeUnique();

        // One that is finished is a new one when it is run again.
        var again = await folder.RunAsync("train", job, "--json");
        again.Last.GetProperty("weightsSha256").GetString().ShouldBe(undisturbed.Last.GetProperty("weightsSha256").GetString());
        again.Last.GetProperty("recoveries").GetInt32().ShouldBe(0);
        again.Events.Count(happened => happened.Word() == "epoch").ShouldBe(240);
    }

    [Fact]
    public async Task A_job_of_another_version_goes_on_only_if_it_is_forced()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("digits", _long);
        var undisturbed = await folder.RunAsync("train", job, "--json", "--state", "other");
        using (var process = BackpropProcess.Start(folder.Path, null, "train", job, "--json", "--json-every", "10"))
        {
            await process.ReadUntilAsync(line => line.Contains("\"checkpoint\"", StringComparison.Ordinal));
            process.Signal("INT");
            (await process.EndAsync()).ShouldEndWith(130);
        }

        SubmitByVersion(folder.At(".backprop/journal.db"), "0.0.1");
        var refused = await folder.RunAsync("train", job, "--json");
        refused.ShouldEndWith(1);
        refused.Last.GetProperty("reason").GetString()!.ShouldStartWith("version 0.0.1 has begun the job, and this is ");
        refused.Last.GetProperty("reason").GetString()!.ShouldEndWith("only with --force");

        var forced = await folder.RunAsync("train", job, "--json", "--force");
        forced.ShouldEndWith(0);
        forced.Events.First(happened => happened.Word() == "generation").GetProperty("step").GetInt64().ShouldBeGreaterThan(0);
        forced.Last.GetProperty("weightsSha256").GetString().ShouldBe(undisturbed.Last.GetProperty("weightsSha256").GetString());
    }

    // As if another version had begun the job.
    private static void SubmitByVersion(string file, string version)
    {
        var serializer = new JournalSerializer(null!);
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        connection.Open();
        using var read = connection.CreateCommand();
        read.CommandText = "SELECT message FROM journal WHERE manifest = 'job-submitted-1'";
        var submitted = (JobSubmitted)serializer.FromBinary((byte[])read.ExecuteScalar()!, "job-submitted-1");
        using var write = connection.CreateCommand();
        write.CommandText = "UPDATE journal SET message = @message WHERE manifest = 'job-submitted-1'";
        write.Parameters.AddWithValue("@message", serializer.ToBinary(submitted with { ProgramVersion = version }));
        write.ExecuteNonQuery().ShouldBe(1);
    }

    [Fact]
    public async Task A_folder_that_another_process_uses_or_that_is_none_is_refused_in_words()
    {
        using var folder = new CommandFolder();
        var job = folder.Job("xor", ("epochs: 30", "epochs: 10000000"));
        using var process = BackpropProcess.Start(folder.Path, null, "train", job, "--json");
        await process.ReadUntilAsync(line => line.Contains("progress", StringComparison.Ordinal));
        (await folder.RunAsync("train", job)).ShouldEndWith(2, "--state", "is in use by process", $"{process.Id}");
        process.Signal("INT");
        (await process.EndAsync()).ShouldEndWith(130);
        (await folder.RunAsync("train", job, "--state", job)).ShouldEndWith(2, "--state", "cannot be used to keep state");
    }
}
