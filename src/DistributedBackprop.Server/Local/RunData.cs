using System.Collections.Concurrent;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Local;

/// <summary>The data of the jobs that run here: read before, by whoever runs them.</summary>
internal sealed class RunData : IDataSets
{
    private readonly ConcurrentDictionary<TrainingJob, DataSet> _data = new(ReferenceEqualityComparer.Instance);

    /// <summary>Gives a job its data until the result is disposed.</summary>
    public IDisposable Give(TrainingJob job, DataSet data)
    {
        _data[job] = data;
        return new Given(() => _data.TryRemove(job, out _));
    }

    public void Load(TrainingJob job, IActorRef receiver) => receiver.Tell(
        _data.TryGetValue(job, out var data) ? new DataLoaded(data, null) : new DataLoaded(null, "its data are not here"));

    private sealed class Given(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
