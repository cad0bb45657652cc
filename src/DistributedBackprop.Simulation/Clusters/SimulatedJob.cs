using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Checkpoints;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>A job with its network and its data: made once, and then simulated as often as one likes.</summary>
/// <param name="Job">What is asked.</param>
/// <param name="Graph">Its network.</param>
/// <param name="Data">Its examples.</param>
public sealed record SimulatedJob(TrainingJob Job, Graph Graph, DataSet Data)
{
    /// <summary>How many steps it has.</summary>
    public long Steps => Run.Plan.TotalSteps;

    /// <summary>What the state of the job is made of.</summary>
    public StateLayout StateLayout => Run.StateLayout();

    /// <summary>The job as the coordinator takes it.</summary>
    internal JobRun Run => field ??= new JobRun(Job.Name, Job, Graph, Data, null);

    /// <summary>A job with the data that it names.</summary>
    /// <param name="job">The job.</param>
    /// <param name="dataRoot">Where its files are.</param>
    /// <exception cref="DataException">The data are not there, or not what they should be.</exception>
    public static SimulatedJob Of(TrainingJob job, string dataRoot = ".")
    {
        ArgumentNullException.ThrowIfNull(job);
        var graph = Graph.Of(job.Model, job.Seed);
        return new SimulatedJob(job, graph, DataLoader.Load(job.Data, job.Seed, dataRoot, graph.Output.Length));
    }

    /// <summary>A job from the text of a job file.</summary>
    /// <param name="text">YAML or JSON.</param>
    /// <exception cref="ArgumentException">It is no job; the message has every error.</exception>
    public static SimulatedJob Parse(string text)
    {
        var read = JobFile.Parse("job.yaml", text);
        return read.Job is { } job ? Of(job) : throw new ArgumentException(string.Join('\n', read.Errors), nameof(text));
    }
}
