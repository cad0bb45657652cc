using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Cli.Train;
using DistributedBackprop.Server.Local;
using DistributedBackprop.Server.Running;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>Jobs as the command line hands them in.</summary>
internal static class JobRuns
{
    /// <summary>Reads a job and its data.</summary>
    public static JobRun Read(string path, string dataRoot)
    {
        var job = JobLoading.Job(path);
        var graph = JobLoading.Graph(job);
        var data = JobLoading.Data(job, graph, dataRoot);
        return new JobRun(JobIdentity.Of(job, data, null), job, graph, data, null);
    }

    /// <summary>The weights' hash of an undisturbed run in this process.</summary>
    public static async Task<string> InProcessAsync(JobRun run)
    {
        await using var training = await LocalTraining.StartAsync(threads: 1);
        using var result = await training.RunAsync(run, _ => { });
        return result.Sha256();
    }

    /// <summary>The weights' hash of a run that completed.</summary>
    public static string Sha256(this TrainingResult result) =>
        result.Outcome.ShouldBeOfType<TrainingCompleted>($"{result.Outcome}").WeightsSha256;
}
