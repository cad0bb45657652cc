namespace DistributedBackprop.Training.Tests.Jobs;

/// <summary>The example jobs of the repository.</summary>
internal static class ExampleJobs
{
    private static string Folder { get; } = Path.Combine(Root(), "deploy", "jobs");

    public static IReadOnlyList<string> Paths { get; } =
        [.. Directory.GetFiles(Folder, "*.yaml").Order(StringComparer.Ordinal)];

    public static TheoryData<string> Names => [.. Paths.Select(path => Path.GetFileName(path))];

    public static string TextOf(string name) => File.ReadAllText(Path.Combine(Folder, name));

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "DistributedBackprop.sln")))
        {
            folder = Path.GetDirectoryName(folder)
                ?? throw new InvalidOperationException($"No DistributedBackprop.sln above {AppContext.BaseDirectory}.");
        }

        return folder;
    }
}
