using System.Text.RegularExpressions;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Explain;

/// <summary>What <c>explain --pause</c> does in a terminal: a screen, then it waits for a key.</summary>
public sealed partial class PauseTests
{
    private const string Prompt = "Enter for the next screen, q to end";
    private const string Enter = "\r";
    private const string CtrlC = "\x03";

    [SkippableFact]
    public async Task One_screen_for_each_layer_is_shown_and_Enter_goes_on()
    {
        using var folder = new CommandFolder();
        using var terminal = TerminalProcess.Start(folder.Path, "explain", ExampleJob.PathOf("xor"), "--pause");
        foreach (var screen in new[] { "the example", "forward: dense1", "forward: dense2", "the loss", "back: dense2", "back: dense1" })
        {
            TitlesOf(await terminal.UntilShownAsync(Prompt)).ShouldBe([screen]);
            await terminal.TypeAsync(Enter);
        }

        var (exitCode, shown) = await terminal.EndAsync();
        exitCode.ShouldBe(0);
        TitlesOf(shown).ShouldBe(["with the table and without it"]);
        shown.ShouldContain("One example, one step: the loss goes from");
        ShouldBeAsItWas(shown);
    }

    [SkippableTheory]
    [InlineData("q", 0)]
    [InlineData(CtrlC, 130)]
    public async Task It_ends_where_that_is_asked_for_and_leaves_the_terminal_as_it_was(string key, int expected)
    {
        using var folder = new CommandFolder();
        using var terminal = TerminalProcess.Start(folder.Path, "explain", ExampleJob.PathOf("xor"), "--pause");
        await terminal.UntilShownAsync(Prompt);
        await terminal.TypeAsync(Enter);
        TitlesOf(await terminal.UntilShownAsync(Prompt)).ShouldBe(["forward: dense1"]);
        await terminal.TypeAsync(key);
        var (exitCode, shown) = await terminal.EndAsync();
        exitCode.ShouldBe(expected, shown);
        TitlesOf(shown).ShouldBeEmpty();
        shown.ShouldNotContain("xception");
        ShouldBeAsItWas(shown);
    }

    [SkippableFact]
    public async Task Over_a_batch_there_is_one_screen_and_no_wait()
    {
        using var folder = new CommandFolder();
        using var terminal = TerminalProcess.Start(folder.Path, "explain", ExampleJob.PathOf("xor"), "--pause", "--examples", "50");
        var (exitCode, shown) = await terminal.EndAsync();
        exitCode.ShouldBe(0, shown);
        TitlesOf(shown).ShouldBe(["50 examples of xor"]);
        shown.ShouldNotContain(Prompt);
    }

    // The shell says last what differs from a sane terminal: it must take in lines, and show what is typed.
    private static void ShouldBeAsItWas(string shown)
    {
        var settings = shown[shown.LastIndexOf("speed", StringComparison.Ordinal)..];
        settings.ShouldContain("baud");
        settings.ShouldNotContain("-icanon");
        settings.ShouldNotContain("-echo");
        settings.ShouldNotContain("-isig");
    }

    private static List<string> TitlesOf(string shown) => [.. Title().Matches(shown).Select(match => match.Groups[1].Value)];

    [GeneratedRegex("^── (.+?) ─+$", RegexOptions.Multiline)]
    private static partial Regex Title();
}
