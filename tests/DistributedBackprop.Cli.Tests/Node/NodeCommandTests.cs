using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Node;

/// <summary>A node that is started by hand.</summary>
public sealed class NodeCommandTests : IDisposable
{
    private static readonly Dictionary<string, string> _secret = new() { ["BACKPROP__SECRET"] = "known to these nodes alone" };

    private readonly CommandFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--prot", "1", "unknown option or argument '--prot'")]
    [InlineData("--port", "65536", "Backprop:Port must be 0 … 65535 (was '65536')")]
    [InlineData("--roles", "worker,boss", "Backprop:Roles must be worker, coordinator or both (was 'boss')")]
    [InlineData("--seeds", "here", "Backprop:Seeds must be addresses host:port, port 1 … 65535 (was 'here')")]
    [InlineData("--threads", "0", "Backprop:Threads must be 1 … 1024 (was '0')")]
    [InlineData("--name", "a b", "Backprop:Name must be 1 … 64 letters, digits, '-', '_' or '.' (was 'a b')")]
    [InlineData("--host", "0.0.0.0", "Backprop:Host must be a loopback address unless Tls is set, or Insecure is true (was 0.0.0.0)")]
    [InlineData("--data-root", "nowhere", "Backprop:DataRoot must be a folder that is there (was 'nowhere')")]
    [InlineData("--secret-file", "nowhere", "Backprop:SecretFile")]
    [InlineData("--tls-certificate", "node.pem", "Backprop:Tls must name the files Certificate and Authority")]
    public async Task A_wrong_flag_is_named(string flag, string value, string words)
    {
        var finished = await _folder.RunAsync("node", flag, value);
        finished.ExitCode.ShouldBe(ExitCode.Invalid, finished.Errors);
        finished.Errors.ShouldContain(words);
        finished.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_node_without_a_secret_or_a_cluster_says_what_it_needs()
    {
        var finished = await _folder.RunAsync("node");
        finished.ExitCode.ShouldBe(ExitCode.Invalid);
        finished.Errors.ShouldContain("Backprop:Secret or SecretFile must be given");
        finished.Errors.ShouldContain("Backprop:Seeds must name a node of the cluster");
    }

    [Fact]
    public async Task A_child_that_gets_no_settings_says_so_and_shows_nothing_of_them()
    {
        await File.WriteAllTextAsync(_folder.At("line"), "{ \"Secret\": \"hush hush hush hush\n");
        foreach (var input in new[] { "/dev/null", "line" })
        {
            var finished = await BackpropProcess.RunInShellAsync(_folder.Path, $"node --child < {input}");
            finished.ExitCode.ShouldBe(ExitCode.Invalid);
            finished.Errors.ShouldContain("standard input must begin with one line of JSON");
            finished.Errors.ShouldNotContain("hush");
        }
    }

    [Fact]
    public async Task Where_no_cluster_answers_the_node_ends_with_words()
    {
        var finished = await BackpropProcess.RunAsync(
            _folder.Path, _secret, "node", "--name", "lost", "--seeds", "127.0.0.1:1", "--join-deadline", "1");
        finished.ExitCode.ShouldBe(ExitCode.NoCluster, finished.Errors);
        finished.Errors.ShouldContain("no cluster took node 'lost' within 1 s at 127.0.0.1:1");
        finished.Errors.ShouldNotContain(_secret["BACKPROP__SECRET"]);
    }

    [Fact]
    public async Task Settings_come_from_the_file_then_the_environment_then_flags()
    {
        await File.WriteAllTextAsync(
            _folder.At("appsettings.json"),
            """{ "Backprop": { "Name": "from-file", "Roles": ["coordinator", "worker"], "Threads": 1, "ServicePort": 0 } }""");
        await AssertNameAsync("from-file", _secret);
        var environment = new Dictionary<string, string>(_secret) { ["BACKPROP__NAME"] = "from-environment" };
        await AssertNameAsync("from-environment", environment);
        await AssertNameAsync("from-flag", environment, "--name", "from-flag");
    }

    [Fact]
    public async Task A_second_node_of_a_name_ends_with_the_reason()
    {
        using var first = BackpropProcess.Start(
            _folder.Path, _secret, "node", "--name", "twin", "--roles", "coordinator,worker", "--threads", "1", "--service-port", "0");
        var up = await first.ReadUntilAsync(line => line.EndsWith(" is up", StringComparison.Ordinal));
        var seed = up.Split("at ")[1].Split(',')[0];
        var second = await BackpropProcess.RunAsync(
            _folder.Path, _secret, "node", "--name", "twin", "--seeds", seed, "--threads", "1");
        second.ExitCode.ShouldBe(ExitCode.JobFailed, second.Errors);
        second.Errors.ShouldContain("a node named 'twin' is there already");
        first.Signal("TERM");
        (await first.EndAsync()).ExitCode.ShouldBe(ExitCode.Done);
    }

    private async Task AssertNameAsync(string name, Dictionary<string, string> environment, params string[] flags)
    {
        using var process = BackpropProcess.Start(_folder.Path, environment, ["node", .. flags]);
        (await process.ReadUntilAsync(_ => true)).ShouldStartWith($"{name} at 127.0.0.1:");
        process.Signal("TERM");
        var finished = await process.EndAsync();
        finished.ExitCode.ShouldBe(ExitCode.Done, finished.Errors);
        finished.Errors.ShouldBeEmpty();
    }
}
