using System.Text.Json;
using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Explain;

/// <summary>Makes the page of an example job.</summary>
internal static class ExplainPage
{
    private const long MostBytes = 2 << 20;

    /// <summary>Writes <c>page.html</c>, no larger than it may be. Returns the events that are in it.</summary>
    public static async Task<IReadOnlyList<JsonElement>> MakeAsync(CommandFolder folder, string name, params string[] options)
    {
        var dataRoot = SharedData.FolderOf("mnist10k");
        Skip.If(name == "mnist10k" && dataRoot is null, "The real digits are not beside the repository.");
        string[] data = name == "mnist10k" ? ["--data-root", dataRoot!] : [];
        var run = await folder.RunAsync(["explain", ExampleJob.PathOf(name), "--html", "page.html", "--json", .. data, .. options]);
        run.ExitCode.ShouldBe(0, run.Errors);
        new FileInfo(folder.At("page.html")).Length.ShouldBeLessThanOrEqualTo(MostBytes);
        return run.Events;
    }
}
