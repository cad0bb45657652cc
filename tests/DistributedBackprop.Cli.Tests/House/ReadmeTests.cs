using System.Globalization;
using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.Explain;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Tests.SameBits;
using DistributedBackprop.Cli.Tests.Train;

namespace DistributedBackprop.Cli.Tests.House;

/// <summary>
/// README.md says what is so. Its commands are run: <c>dotnet run … -- ARGUMENTS</c> as the built program with the same
/// arguments, and <c>dotnet test</c> not at all, because that is who runs this.
/// </summary>
public sealed class ReadmeTests
{
    private const string DotnetRun = "dotnet run -c Release --project src/DistributedBackprop.Cli -- ";

    private static readonly string _text = File.ReadAllText(RepositoryRoot.File("README.md"));

    [Fact]
    public async Task Every_command_runs()
    {
        var commands = Blocks("sh").SelectMany(block => block.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            .Where(line => !line.StartsWith('#')).ToList();
        commands.ShouldContain("dotnet test");
        commands.Remove("dotnet test");
        commands.ShouldNotBeEmpty();

        // Where the commands look for the repository's files, and may leave their own.
        using var folder = new CommandFolder();
        Directory.CreateSymbolicLink(folder.At("deploy"), RepositoryRoot.File("deploy"));
        foreach (var command in commands)
        {
            command.ShouldStartWith(DotnetRun);
            var run = await folder.RunAsync(command[DotnetRun.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries));
            run.ExitCode.ShouldBe(0, $"{command}\n{run.Errors}");
        }
    }

    [Fact]
    public async Task Every_job_trains()
    {
        using var folder = new CommandFolder();
        Blocks("yaml").ShouldNotBeEmpty();
        foreach (var job in Blocks("yaml"))
        {
            await File.WriteAllTextAsync(folder.At("job.yaml"), job);
            var run = await folder.RunAsync("train", "job.yaml", "--json");
            run.ExitCode.ShouldBe(0, run.Errors);
            run.Last.GetProperty("testAccuracy").GetDouble().ShouldBeGreaterThan(0.98);
        }
    }

    [Fact]
    public async Task Its_first_result_is_what_the_first_command_prints()
    {
        var printed = Blocks("text").Single(block => block.Contains("weights sha256", StringComparison.Ordinal));
        printed.ShouldContain(GoldenTests.WeightsOf("digits"));
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("train", ExampleJob.PathOf("digits"));
        foreach (var line in printed.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            run.Output.Split('\n').ShouldContain(line);
        }
    }

    [Fact]
    public void Every_file_it_names_is_there()
    {
        var named = Regex.Matches(_text, @"(?<![\w/.-])(?:src|tests|deploy)(?:/[\w.-]+)*[\w-]")
            .Select(match => match.Value).Distinct().ToList();
        named.Count.ShouldBeGreaterThan(10);
        named.Where(path => !Path.Exists(RepositoryRoot.File(path))).ShouldBeEmpty();
    }

    [Fact]
    public void Every_project_is_in_its_layout() =>
        Directory.GetDirectories(RepositoryRoot.File("src"))
            .Select(project => $"`src/{Path.GetFileName(project)}`")
            .Where(project => !_text.Contains(project, StringComparison.Ordinal))
            .ShouldBeEmpty();

    [Theory]
    [InlineData("train")]
    [InlineData("explain")]
    [InlineData("simulate")]
    public async Task Its_options_are_those_of_the_command(string command)
    {
        using var folder = new CommandFolder();
        var help = await folder.RunAsync(command, "--help");
        OptionsOf(command).Order().ShouldBe(
            Regex.Matches(help.Output, @"^  (?:-\S+, )*(--[a-z-]+)", RegexOptions.Multiline)
                .Select(match => match.Groups[1].Value).Except(["--help"]).Order());
    }

    [Fact]
    public async Task Its_commands_are_those_of_the_program()
    {
        using var folder = new CommandFolder();
        var help = await folder.RunAsync("--help");
        var commands = Regex.Matches(help.Output[help.Output.IndexOf("Commands:", StringComparison.Ordinal)..], @"^  ([a-z]+)\b", RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value).ToList();
        commands.ShouldContain("submit");
        commands.Where(command => !Regex.IsMatch(_text, $@"(`|backprop |-- ){command}\b")).ShouldBeEmpty();
    }

    [Fact]
    public void Its_exit_codes_are_those_of_the_command() =>
        Regex.Matches(_text, @"^\| (\d+) \|", RegexOptions.Multiline).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
            .ShouldBe(typeof(ExitCode).GetFields().Select(code => (int)code.GetRawConstantValue()!), ignoreOrder: true);

    [Fact]
    public void Its_events_are_those_of_the_command()
    {
        foreach (var (word, fields) in EventTests.Fields)
        {
            var row = Regex.Match(_text, $@"^\| `{word}` \|(.*)\|$", RegexOptions.Multiline).Groups[1].Value;
            Regex.Matches(row, "`([A-Za-z0-9]+)`").Select(match => match.Groups[1].Value).ShouldBe(fields.Except(["event"]), word);
        }
    }

    [Fact]
    public void The_events_of_explain_are_those_that_it_prints()
    {
        var text = File.ReadAllText(RepositoryRoot.File("src/README.md"));
        foreach (var (word, fields) in ExplainEventTests.Fields)
        {
            // What stands in brackets are fields of fields.
            var row = Regex.Match(text, $@"^\| `{word}` \|(.*)\|$", RegexOptions.Multiline).Groups[1].Value;
            while (row != (row = Regex.Replace(row, @"\([^()]*\)", "")))
            {
            }

            Regex.Matches(row, "`([A-Za-z0-9]+)`").Select(match => match.Groups[1].Value).ShouldBe(fields.Except(["event"]), word);
        }
    }

    [Fact]
    public async Task Its_table_of_xor_is_what_explain_prints()
    {
        var printed = Blocks("text").Single(block => block.Contains("dense1[0]", StringComparison.Ordinal));
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("explain", ExampleJob.PathOf("xor"));
        foreach (var line in printed.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            run.Output.Split('\n').Select(written => written.TrimEnd()).ShouldContain(line);
        }
    }

    [Fact]
    public void Its_spec_is_one_of_those_that_run()
    {
        var spec = File.ReadAllText(RepositoryRoot.File("tests/DistributedBackprop.Simulation.Tests/Clusters/KilledNodeSpec.cs"));
        var shown = Blocks("csharp").Single(block => block.Contains("KilledNodeSpec", StringComparison.Ordinal));
        spec.ShouldContain(shown.TrimEnd().TrimEnd('}').TrimEnd());
    }

    private static IEnumerable<string> OptionsOf(string command)
    {
        var table = Regex.Match(_text, $@"^\| Option of `{command} .*\n(?:\|.*\n)*", RegexOptions.Multiline).Value;
        return Regex.Matches(table, @"^\| `(--[a-z-]+)", RegexOptions.Multiline).Select(match => match.Groups[1].Value);
    }

    private static List<string> Blocks(string language) =>
        [.. Regex.Matches(_text, $"^```{language}\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline).Select(match => match.Groups[1].Value)];
}
