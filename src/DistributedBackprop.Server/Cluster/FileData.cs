using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// The data of a node: read below its data root, or generated. The newest set is kept, for the next generation of its job.
/// </summary>
/// <param name="root">The folder of the data files.</param>
internal sealed class FileData(string root) : IDataSets
{
    private readonly Lock _lock = new();
    private (DataKey Key, Task<DataSet> Data)? _newest;

    public void Load(TrainingJob job, IActorRef receiver)
    {
        var graph = Graph.Of(job.Model, job.Seed);
        var key = new DataKey(job.Data, job.Seed, job.Loss, graph.Output.Length);
        Task<DataSet> data;
        lock (_lock)
        {
            if (_newest is not { } newest || newest.Key != key || newest.Data.IsFaulted)
            {
                _newest = newest = (key, Task.Run(() => DataLoader.Load(job, graph.Output, root)));
            }

            data = newest.Data;
        }

        data.ContinueWith(
            loaded => receiver.Tell(loaded.IsCompletedSuccessfully
                ? new DataLoaded(loaded.Result, null)
                : new DataLoaded(null, loaded.Exception!.InnerException!.Message)),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    // All that the examples depend on.
    private sealed record DataKey(DataSource Source, long Seed, LossKind Loss, int Outputs);
}
