using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Jobs.Requests;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Simulation.Clusters;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;

namespace DistributedBackprop.Simulation.Services;

/// <summary>The examples of several jobs, by the name of the job.</summary>
internal sealed class ServedData(IEnumerable<ServedJob> jobs) : IDataSets
{
    private readonly Dictionary<string, SimulatedJob> _jobs = jobs.ToDictionary(job => job.Id, job => job.Job, StringComparer.Ordinal);

    public void Load(TrainingJob job, IActorRef receiver) => receiver.Tell(_jobs.TryGetValue(job.Name, out var known)
        ? new DataLoaded(known.Data, null)
        : new DataLoaded(null, $"there are no data of {job.Name}"));

    /// <summary>What a coordinator on a host loads jobs by; it takes a while.</summary>
    public IJobLoading LoadingOn(SimulatedNode host) => new Loading(host, _jobs);

    private sealed class Loading(SimulatedNode host, Dictionary<string, SimulatedJob> jobs) : IJobLoading
    {
        private static readonly TimeSpan _longest = TimeSpan.FromMilliseconds(50);

        private readonly KeyedGenerator _draws = host.Loop.Generator($"loading/{host.Ordinal}");

        public void Load(JobSubmission submission, IActorRef receiver)
        {
            var job = jobs[submission.Id];
            var run = new JobRun(submission.Id, job.Job, job.Graph, job.Data, null) { DataRoot = submission.DataRoot };
            host.After(_draws.Between(TimeSpan.Zero, _longest), () => receiver.Tell(new JobLoaded(submission.Id, run, null)));
        }
    }
}
