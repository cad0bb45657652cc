using System.Collections.Concurrent;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>The jobs that are trained on nodes: example jobs of full width with fewer steps.</summary>
internal static class ClusterJobs
{
    /// <summary>Averaging of gradients.</summary>
    public const string Gradients = "gradients";

    /// <summary>Averaging of parameters, with a last round that is shorter than the others.</summary>
    public const string Parameters = "{ parameters: { every: 10, outer: { learningRate: 0.7, momentum: 0.5, nesterov: true } } }";

    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> _inProcess = new();

    /// <summary>MNIST on four replicas of one stage, skipped where the files are not there.</summary>
    /// <param name="averaging">How replicas average.</param>
    public static JobRun Mnist(string averaging)
    {
        var data = SharedData.FolderOf("mnist10k");
        Skip.If(data is null, "shared/data/mnist10k is in no folder above.");
        using var folder = new CommandFolder();
        return JobRuns.Read(MnistFile(folder, averaging), data!);
    }

    /// <summary>The job file of <see cref="Mnist"/>.</summary>
    public static string MnistFile(CommandFolder folder, string averaging) => folder.Job(
        "mnist10k",
        ("epochs: 10", "epochs: 2"),
        ("training:\n", $"parallelism: {{ replicas: 4, averaging: {averaging} }}\ntraining:\n"));

    /// <summary>The residual network on two replicas of three stages, 4 micro-batches in each step.</summary>
    /// <param name="schedule">The order of forward and backward passes.</param>
    /// <param name="averaging">How replicas average.</param>
    /// <param name="epochs">Epochs of 16 steps.</param>
    public static JobRun Residual(string schedule, string averaging, int epochs = 2)
    {
        using var folder = new CommandFolder();
        return JobRuns.Read(ResidualFile(folder, schedule, averaging, epochs), folder.Path);
    }

    /// <summary>The job file of <see cref="Residual"/>.</summary>
    public static string ResidualFile(CommandFolder folder, string schedule, string averaging, int epochs) => folder.Job(
        "residual",
        ("examples: 4000", "examples: 1000"),
        ("test: { examples: 1000 }", "test: { examples: 300 }"),
        ("epochs: 8", $"epochs: {epochs}"),
        ("schedule: 1f1b", $"schedule: {schedule}"),
        ("averaging: gradients", $"averaging: {averaging}"));

    /// <summary>Four replicas of one stage, in epochs of 8 steps.</summary>
    /// <param name="epochs">How many.</param>
    public static JobRun FourReplicas(int epochs)
    {
        using var folder = new CommandFolder();
        return JobRuns.Read(
            folder.Job("xor", ("examples: 400", "examples: 256"), ("epochs: 30", $"epochs: {epochs}\nparallelism: {{ replicas: 4 }}")),
            folder.Path);
    }

    /// <summary>The hash of a job in this process, computed once for all tests.</summary>
    public static Task<string> InProcessAsync(JobRun run) =>
        _inProcess.GetOrAdd(run.Id, _ => new(() => JobRuns.InProcessAsync(run))).Value;
}
