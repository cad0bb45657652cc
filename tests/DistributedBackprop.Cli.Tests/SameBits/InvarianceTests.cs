using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.Intrinsics;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.SameBits;

/// <summary>Same job, same bits: what may vary changes nothing of the trained weights.</summary>
public sealed class InvarianceTests
{
    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> _expected = new();

    public static TheoryData<string, int, string, int> Cuts()
    {
        var cuts = new TheoryData<string, int, string, int>();
        foreach (var example in new[] { "digits", "residual" })
        {
            foreach (var stages in new[] { 1, 2, 3 })
            {
                foreach (var schedule in new[] { "gpipe", "1f1b" })
                {
                    foreach (var microBatches in new[] { 1, 2, 3 })
                    {
                        cuts.Add(example, stages, schedule, microBatches);
                    }
                }
            }
        }

        return cuts;
    }

    [Theory]
    [InlineData("digits")]
    [InlineData("residual")]
    public async Task Run_again(string example) => await SameAsFirst(example, []);

    [Theory]
    [InlineData("digits", 1)]
    [InlineData("digits", 2)]
    [InlineData("digits", 4)]
    [InlineData("residual", 1)]
    [InlineData("residual", 2)]
    [InlineData("residual", 4)]
    public async Task On_any_number_of_threads(string example, int threads) =>
        await SameAsFirst(example, [], "--threads", threads.ToString(CultureInfo.InvariantCulture));

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task In_any_stages_schedule_and_micro_batches(string example, int stages, string schedule, int microBatches)
    {
        using var folder = new CommandFolder();
        var run = await folder.RunAsync("train", ShortJob.Of(folder, example, stages, schedule, microBatches), "--json");
        run.Sha256.ShouldBe(await ExpectedAsync(example));
    }

    [SkippableTheory]
    [InlineData("digits", "de_DE.UTF-8")]
    [InlineData("residual", "tr_TR.UTF-8")]
    public async Task In_any_culture(string example, string culture)
    {
        var separator = CultureInfo.GetCultureInfo(culture[..5].Replace('_', '-')).NumberFormat.NumberDecimalSeparator;
        Skip.IfNot(separator == ",", "This runtime knows one culture only.");
        await SameAsFirst(example, new() { ["LANG"] = culture, ["LC_ALL"] = culture });
    }

    [Theory]
    [InlineData("digits", "DOTNET_TieredCompilation=0")]
    [InlineData("residual", "DOTNET_TieredCompilation=0")]
    [InlineData("digits", "DOTNET_TieredPGO=0")]
    [InlineData("residual", "DOTNET_ReadyToRun=0")]
    [InlineData("residual", "DOTNET_gcServer=1")]
    public async Task Under_any_compilation(string example, string variable)
    {
        var parts = variable.Split('=');
        await SameAsFirst(example, new() { [parts[0]] = parts[1] });
    }

    [SkippableTheory]
    [InlineData("digits")]
    [InlineData("residual")]
    public async Task On_either_width_of_vectors(string example)
    {
        Skip.IfNot(Vector512.IsHardwareAccelerated, "This processor has no AVX-512, so there is one width only.");
        var wide = await SameAsFirst(example, [], "--verbose");
        var narrow = await SameAsFirst(example, new() { ["DOTNET_EnableAVX512"] = "0" }, "--verbose");
        wide.Errors.ShouldContain("kernels on AVX-512\n");
        narrow.Errors.ShouldContain("kernels on AVX2\n");
    }

    [Theory]
    [InlineData("digits", "seed: 7", "seed: 8")]
    [InlineData("digits", "learningRate: 0.1", "learningRate: 0.1000001")]
    [InlineData("residual", "replicas: 2", "replicas: 1")]
    public async Task But_what_is_computed_changes_them(string example, string old, string changed)
    {
        // Otherwise the other tests would also pass if the hash said nothing.
        using var folder = new CommandFolder();
        var job = ShortJob.Of(folder, example);
        await File.WriteAllTextAsync(job, (await File.ReadAllTextAsync(job)).Replace(old, changed, StringComparison.Ordinal));
        (await folder.RunAsync("train", job, "--json")).Sha256.ShouldNotBe(await ExpectedAsync(example));
    }

    private static async Task<Finished> SameAsFirst(
        string example, Dictionary<string, string> environment, params IEnumerable<string> options)
    {
        using var folder = new CommandFolder();
        var run = await BackpropProcess.RunAsync(
            folder.Path, environment, ["train", ShortJob.Of(folder, example), "--json", .. options]);
        run.Sha256.ShouldBe(await ExpectedAsync(example));
        return run;
    }

    private static Task<string> ExpectedAsync(string example) => _expected.GetOrAdd(example, _ => new(async () =>
    {
        using var folder = new CommandFolder();
        return (await folder.RunAsync("train", ShortJob.Of(folder, example), "--json")).Sha256;
    })).Value;
}
