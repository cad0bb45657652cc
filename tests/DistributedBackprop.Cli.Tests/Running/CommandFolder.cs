using DistributedBackprop.Cli.Tests.House;

namespace DistributedBackprop.Cli.Tests.Running;

/// <summary>A temporary folder in which commands run, gone afterwards.</summary>
internal sealed class CommandFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("backprop-").FullName;

    /// <summary>The path of a file in it.</summary>
    public string At(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a job: an example of <c>deploy/jobs</c> with parts of its text replaced, each of which must be there.</summary>
    public string Job(string example, params IEnumerable<(string Old, string New)> changes)
    {
        var text = File.ReadAllText(ExampleJob.PathOf(example));
        foreach (var (old, changed) in changes)
        {
            text.ShouldContain(old);
            text = text.Replace(old, changed, StringComparison.Ordinal);
        }

        var path = At($"{example}-{Guid.NewGuid():N}.yaml");
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Runs a command in it.</summary>
    public Task<Finished> RunAsync(params IEnumerable<string> arguments) => BackpropProcess.RunAsync(Path, null, arguments);

    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}

/// <summary>The jobs that come with the product.</summary>
internal static class ExampleJob
{
    public static string PathOf(string name) => RepositoryRoot.File($"deploy/jobs/{name}.yaml");
}
