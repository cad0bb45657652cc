using System.Globalization;
using System.Runtime.InteropServices;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Running;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Benchmarks;

/// <summary>A cluster of child processes with a thread and a core each, which stays up from job to job.</summary>
internal sealed class PinnedCluster : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;

    private PinnedCluster(ClusterTraining training, DirectoryInfo folder)
    {
        Training = training;
        _folder = folder;
    }

    /// <summary>The cluster.</summary>
    public ClusterTraining Training { get; }

    /// <summary>Starts it.</summary>
    /// <param name="nodes">Child processes; each is held to the core of its number, as far as there are cores.</param>
    /// <param name="dataRoot">The folder of the data files.</param>
    public static async Task<PinnedCluster> StartAsync(int nodes, string dataRoot = ".")
    {
        // Children are started one after the other: each takes the first number that none before it has taken.
        var folder = System.IO.Directory.CreateTempSubdirectory("backprop-benchmark-");
        var script = Path.Combine(folder.FullName, "pinned.sh");
        await File.WriteAllTextAsync(script, string.Create(CultureInfo.InvariantCulture, $$"""
            core=0
            while ! mkdir "{{folder.FullName}}/$core" 2>/dev/null; do core=$((core + 1)); done
            exec taskset -c $((core % {{Environment.ProcessorCount}})) "$@"
            """));
        var program = new ChildProgram(
            "/bin/sh",
            [
                script,
                Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"),
                Path.Combine(AppContext.BaseDirectory, "backprop.dll"),
            ]);
        var training = await ClusterTraining.StartAsync(
            new ClusterTrainingOptions(nodes, 1, dataRoot) { Program = program }, Console.Error.WriteLine);
        return new PinnedCluster(training, folder);
    }

    /// <summary>Trains a job.</summary>
    /// <returns>Its end; what it cost.</returns>
    /// <exception cref="InvalidOperationException">Training failed.</exception>
    public static async Task<(TrainingCompleted Completed, IReadOnlyList<GenerationStatistics> Generations)> TrainAsync(
        ITrainer trainer, TrainingJob job, DataSet data)
    {
        var run = new JobRun("benchmark", job, Graph.Of(job.Model, job.Seed), data, null);
        using var result = await trainer.RunAsync(run, _ => { });
        return result.Outcome is TrainingCompleted completed
            ? (completed, result.Generations)
            : throw new InvalidOperationException($"Training did not end well: {result.Outcome}");
    }

    /// <summary>Examples per second of a job of the workload's data.</summary>
    public async Task<double> RateAsync(TrainingJob job) =>
        (await TrainAsync(Training, job, MlpWorkload.Data)).Completed.SamplesPerSecond;

    /// <summary>Ends it.</summary>
    public async ValueTask DisposeAsync()
    {
        await Training.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
