using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Tests;

/// <summary>The jobs that users find in <c>deploy/jobs</c>, on their own data.</summary>
internal static class ExampleJobs
{
    /// <summary>Reads a job and its data; skips the test where real digits are not beside the repository.</summary>
    public static (TrainingJob Job, DataSet Data) Load(string name)
    {
        var job = JobFile.Read(Path.Combine(Root(), "deploy", "jobs", $"{name}.yaml")).Job!;
        var dataRoot = Path.Combine(Root(), "..", "shared", "data", "mnist10k");
        Skip.If(job.Data is IdxData && !Directory.Exists(dataRoot), "The real digits are not beside the repository.");
        return (job, DataLoader.Load(job.Data, job.Seed, job.Data is IdxData ? dataRoot : ".", null));
    }

    /// <summary>All features, scaled, an array for each example.</summary>
    public static float[][] FeaturesOf(Examples examples, float factor)
    {
        var features = new float[examples.Count][];
        var label = new int[1];
        for (var i = 0; i < features.Length; i++)
        {
            features[i] = new float[examples.Shape.Length];
            examples.Gather([i], factor, features[i], label);
        }

        return features;
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "DistributedBackprop.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }
}
