using System.Collections.Concurrent;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Pipeline;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Actors.Explain;

/// <summary>Who watches which job of a node: nobody, but for the jobs that are explained.</summary>
public sealed class PassObservers
{
    private readonly ConcurrentDictionary<TrainingJob, PassRecorder> _recorders = new(ReferenceEqualityComparer.Instance);

    /// <summary>Who watches a job; null for nobody. Goes into <see cref="Nodes.NodeEquipment.ObserverOf"/>.</summary>
    public IPassObserver? Of(TrainingJob job) => _recorders.GetValueOrDefault(job);

    /// <summary>From now on the job is watched.</summary>
    /// <param name="run">The job: one replica of one stage.</param>
    /// <param name="receiver">Is told <see cref="PassRecorded"/>.</param>
    internal void Watch(JobRun run, IActorRef receiver) => _recorders[run.Job] = new PassRecorder(run.Graph, receiver);

    /// <summary>From now on it is not.</summary>
    internal void Leave(JobRun run) => _recorders.TryRemove(run.Job, out _);
}
