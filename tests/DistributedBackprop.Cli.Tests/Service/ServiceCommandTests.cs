using System.Security.Cryptography;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Tests.SameBits;

namespace DistributedBackprop.Cli.Tests.Service;

/// <summary>The commands that talk to a service, against a real node.</summary>
public sealed class ServiceCommandTests
{
    [Fact]
    public async Task A_job_is_handed_in_watched_exported_and_asked_with_the_weights_of_train()
    {
        using var service = await ServiceProcess.StartAsync();
        var run = await service.RunAsync("submit", ExampleJob.PathOf("xor"), "--id", "first", "--watch", "--json");
        run.ExitCode.ShouldBe(ExitCode.Done, run.Errors);
        run.Sha256.ShouldBe(GoldenTests.WeightsOf("xor"));
        run.Events[0].Word().ShouldBe("waiting");
        run.Events[1].Word().ShouldBe("started");

        var jobs = await service.RunAsync("jobs", "--json");
        jobs.Events.ShouldHaveSingleItem().GetProperty("state").GetString().ShouldBe("completed");
        (await service.RunAsync("jobs")).Output.ShouldContain("first");
        (await service.RunAsync("jobs", "--state", "failed")).Output.ShouldBeEmpty();

        var again = await service.RunAsync("watch", "first", "--after", "3", "--json");
        again.ExitCode.ShouldBe(ExitCode.Done, again.Errors);
        again.Last.ToString().ShouldBe(run.Last.ToString());

        var export = await service.RunAsync("export", "first", "weights.safetensors", "--json");
        export.ExitCode.ShouldBe(ExitCode.Done, export.Errors);
        var bytes = await File.ReadAllBytesAsync(service.Folder.At("weights.safetensors"));
        Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(8 + (int)BitConverter.ToInt64(bytes)))).ShouldBe(run.Sha256);

        await File.WriteAllTextAsync(service.Folder.At("examples"), "0 0\n0,1\n[1, 0]\n1;1\n");
        var predicted = await service.RunAsync("predict", "first", "examples", "--json");
        predicted.ExitCode.ShouldBe(ExitCode.Done, predicted.Errors);
        predicted.Events.Select(example => example.GetProperty("class").GetInt32()).ShouldBe([0, 1, 1, 0]);

        var nodes = await service.RunAsync("nodes", "--json");
        nodes.Events.ShouldHaveSingleItem().GetProperty("coordinates").GetBoolean().ShouldBeTrue();
        (await service.RunAsync("delete", "first")).ExitCode.ShouldBe(ExitCode.Done);
        (await service.RunAsync("watch", "first")).ExitCode.ShouldBe(ExitCode.NotFound);
        (await service.EndAsync()).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task Jobs_pause_go_on_and_are_cancelled()
    {
        using var service = await ServiceProcess.StartAsync();
        var path = service.Folder.Job("xor", ("epochs: 30", "epochs: 1000000"));
        (await service.RunAsync("submit", path, "--id", "long")).ExitCode.ShouldBe(ExitCode.Done);
        var waits = await service.RunAsync("submit", ExampleJob.PathOf("xor"), "--id", "waits", "--json");
        waits.Last.GetProperty("state").GetString().ShouldBe("waiting");
        waits.Last.GetProperty("position").GetInt32().ShouldBe(1);

        using var watch = service.Start("watch", "long", "--json");
        await watch.ReadUntilAsync(line => line.Contains("\"progress\"", StringComparison.Ordinal));
        await AssertToldAsync(service, "running", "pause");
        await watch.ReadUntilAsync(line => line.Contains("\"paused\"", StringComparison.Ordinal));
        (await service.RunAsync("watch", "waits")).ExitCode.ShouldBe(ExitCode.Done);
        await AssertToldAsync(service, "running", "resume");
        await watch.ReadUntilAsync(line => line.Contains("\"progress\"", StringComparison.Ordinal));
        await AssertToldAsync(service, "running", "cancel");
        var ended = await watch.EndAsync();
        ended.ExitCode.ShouldBe(ExitCode.JobFailed);
        ended.Last.Word().ShouldBe("cancelled");
        var refused = await service.RunAsync("pause", "long");
        refused.ExitCode.ShouldBe(ExitCode.JobFailed);
        refused.Errors.ShouldContain("job 'long' is cancelled, which does not allow it to pause");
        var deleted = await service.RunAsync("delete", "long", "--json");
        deleted.ExitCode.ShouldBe(ExitCode.Done, deleted.Errors);
        deleted.Events.ShouldHaveSingleItem().GetProperty("deleted").GetString().ShouldBe("long");
    }

    [Fact]
    public async Task Ctrl_C_ends_the_watching_and_not_the_job()
    {
        using var service = await ServiceProcess.StartAsync();
        var path = service.Folder.Job("xor", ("epochs: 30", "epochs: 1000000"));
        using var watch = service.Start("submit", path, "--id", "long", "--watch", "--json");
        await watch.ReadUntilAsync(line => line.Contains("\"progress\"", StringComparison.Ordinal));
        watch.Signal("INT");
        var ended = await watch.EndAsync();
        ended.ExitCode.ShouldBe(ExitCode.Interrupted, ended.Errors);
        ended.Errors.ShouldContain("job 'long' goes on");
        (await service.RunAsync("jobs", "--json")).Last.GetProperty("state").GetString().ShouldBe("running");
    }

    [Fact]
    public async Task What_is_refused_has_words_and_a_code()
    {
        using var service = await ServiceProcess.StartAsync();
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(service.TokenFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        await AssertRefusedAsync(service, ExitCode.NotFound, "there is no job 'nobody'", "watch", "nobody");
        await AssertRefusedAsync(service, ExitCode.NotFound, "there is no such job file", "submit", "nowhere.yaml");
        await AssertRefusedAsync(service, ExitCode.Invalid, "id must be 1 … 128", "cancel", "a b");
        await AssertRefusedAsync(service, ExitCode.NoCluster, "no service answers", "jobs", "--address", "http://127.0.0.1:1");
        await AssertRefusedAsync(service, ExitCode.Invalid, "--address must be", "jobs", "--address", "nonsense");
        var wrong = service.Folder.Job("xor", ("batchSize: ", "batchSize: -"));
        await AssertRefusedAsync(service, ExitCode.Invalid, "batchSize must be", "submit", wrong);
        await AssertRefusedAsync(service, ExitCode.Invalid, "batchSize must be", "validate", wrong);
        var valid = await service.RunAsync("validate", ExampleJob.PathOf("xor"), "--json");
        valid.ExitCode.ShouldBe(ExitCode.Done, valid.Errors);
        valid.Last.GetProperty("valid").GetBoolean().ShouldBeTrue();

        await File.WriteAllTextAsync(service.Folder.At("other"), "not-the-token-of-this-service\n");
        await AssertRefusedAsync(service, ExitCode.Denied, "the token is not the one", "jobs", "--token-file", "other");
        await AssertRefusedAsync(service, ExitCode.Denied, "no token", "jobs", "--token-file", "nowhere");
        var token = (await File.ReadAllTextAsync(service.TokenFile)).Trim();
        var ended = await service.EndAsync();
        ended.Output.ShouldNotContain(token);
        ended.Errors.ShouldNotContain(token);
    }

    [Fact]
    public async Task Jobs_name_data_roots_and_never_leave_them()
    {
        using var folder = new CommandFolder();
        Directory.CreateDirectory(folder.At("inside"));
        using var service = await ServiceProcess.StartAsync("--data-root", $"mine={folder.At("inside")}");
        await File.WriteAllTextAsync(folder.At("outside"), "secret");
        File.CreateSymbolicLink(folder.At("inside/link"), folder.At("outside"));
        var path = service.Folder.At("files.yaml");
        await File.WriteAllTextAsync(path, """
            name: files
            data: { format: idx, train: { features: link, labels: link } }
            model: { input: [2], layers: [ { dense: { units: 2 } } ] }
            loss: softmaxCrossEntropy
            optimizer: { sgd: { learningRate: 0.1 } }
            training: { batchSize: 2, epochs: 1 }
            """);
        var run = await service.RunAsync("submit", path, "--data-root", "mine", "--watch", "--json");
        run.ExitCode.ShouldBe(ExitCode.JobFailed, run.Errors);
        run.Last.GetProperty("reason").GetString()!.ShouldContain("leads out of the data root");
        var other = await service.RunAsync("submit", path, "--data-root", "other", "--watch", "--json");
        other.Last.GetProperty("reason").GetString()!.ShouldContain("no data root 'other'");
    }

    [Fact]
    public async Task Over_TLS_the_commands_show_their_certificate()
    {
        using var folder = new CommandFolder();
        var made = await folder.RunAsync("certificates", "certs", "--nodes", "node,client");
        made.ExitCode.ShouldBe(ExitCode.Done, made.Errors);
        using var service = await ServiceProcess.StartAsync(
            "--tls-certificate", folder.At("certs/node.pem"), "--tls-authority", folder.At("certs/authority.pem"), "--service-client-certificates");
        service.Address.ShouldStartWith("https://");
        var known = await service.RunAsync(
            "nodes", "--json", "--authority", folder.At("certs/authority.pem"), "--certificate", folder.At("certs/client.pem"));
        known.ExitCode.ShouldBe(ExitCode.Done, known.Errors);
        var unknown = await service.RunAsync("nodes", "--authority", folder.At("certs/authority.pem"));
        unknown.ExitCode.ShouldBe(ExitCode.NoCluster, unknown.Errors);
        var distrusted = await service.RunAsync("nodes");
        distrusted.ExitCode.ShouldBe(ExitCode.NoCluster, distrusted.Errors);
    }

    [Theory]
    [InlineData("backprop su", "submit")]
    [InlineData("backprop jobs --addr", "--address")]
    public async Task Shells_complete_it(string line, string completion)
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync($"[suggest:{line.Length}]", line);
        run.ExitCode.ShouldBe(ExitCode.Done, run.Errors);
        run.Output.Split('\n').ShouldContain(completion);
    }

    [Theory]
    [InlineData("zsh", "compdef _backprop_complete backprop")]
    [InlineData("pwsh", "Register-ArgumentCompleter -Native -CommandName backprop")]
    public async Task Other_shells_have_a_script_that_asks_the_command(string shell, string words)
    {
        using var folder = new CommandFolder();
        var script = await folder.RunAsync("completion", shell);
        script.ExitCode.ShouldBe(ExitCode.Done, script.Errors);
        script.Output.ShouldContain(words);
        script.Output.ShouldContain("backprop \"[suggest:");
        script.Output.Count(c => c is '{' or '(').ShouldBe(script.Output.Count(c => c is '}' or ')'));
    }

    [SkippableFact]
    public async Task Zsh_takes_the_script_and_completes()
    {
        using var folder = new CommandFolder();
        Skip.IfNot(File.Exists("/usr/bin/zsh") || File.Exists("/bin/zsh"), "zsh is not installed (Debian: apt-get install zsh)");
        var script = await folder.RunAsync("completion", "zsh");

        // What zsh itself has only on a terminal stands for itself here.
        await File.WriteAllTextAsync(folder.At("complete.zsh"), $"""
            backprop() {'{'} dotnet '{Path.Combine(AppContext.BaseDirectory, "backprop.dll")}' "$@"; {'}'}
            compdef() {'{'} {'}'}
            compadd() {'{'} shift; print -l -- $found; {'}'}
            _files() {'{'} {'}'}
            {script.Output}
            BUFFER="backprop val"
            _backprop_complete
            """);
        using var zsh = BackpropProcess.StartOther(folder.Path, null, "zsh", "-f", "complete.zsh");
        var ended = await zsh.EndAsync();
        ended.Output.Trim().ShouldBe("validate", ended.Errors);
    }

    [SkippableFact]
    public async Task Bash_takes_the_script_and_completes()
    {
        using var folder = new CommandFolder();
        Skip.If(OperatingSystem.IsWindows(), "bash");
        var script = await folder.RunAsync("completion", "bash");
        script.ExitCode.ShouldBe(ExitCode.Done, script.Errors);
        await File.WriteAllTextAsync(folder.At("complete.sh"), $"""
            backprop() {'{'} dotnet '{Path.Combine(AppContext.BaseDirectory, "backprop.dll")}' "$@"; {'}'}
            {script.Output}
            COMP_LINE="backprop val" COMP_POINT=12 COMP_WORDS=(backprop val) COMP_CWORD=1
            _backprop_complete
            echo "$COMPREPLY"
            """);
        using var bash = BackpropProcess.StartOther(folder.Path, null, "bash", "complete.sh");
        var ended = await bash.EndAsync();
        ended.Output.Trim().ShouldBe("validate", ended.Errors);
    }

    // The job as it stands when the command is taken: what it wishes comes with the job's next events.
    private static async Task AssertToldAsync(ServiceProcess service, string state, string command)
    {
        var run = await service.RunAsync(command, "long", "--json");
        run.ExitCode.ShouldBe(ExitCode.Done, run.Errors);
        var job = run.Events.ShouldHaveSingleItem();
        job.GetProperty("jobId").GetString().ShouldBe("long");
        job.GetProperty("state").GetString().ShouldBe(state);
    }

    private static async Task AssertRefusedAsync(ServiceProcess service, int code, string words, params string[] arguments)
    {
        var run = await service.RunAsync(arguments);
        run.ExitCode.ShouldBe(code, $"{string.Join(' ', arguments)}: {run.Errors}");
        run.Errors.ShouldContain(words);
        run.Output.ShouldBeEmpty();
    }
}
