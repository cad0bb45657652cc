using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Server.Jobs;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// The data of a node: read below its data root, or generated. The newest set is kept, for the next generation of its job.
/// </summary>
/// <param name="roots">The folders of the data files.</param>
internal sealed class FileData(DataRoots roots) : IDataSets
{
    private readonly Lock _lock = new();
    private (DataKey Key, Task<DataSet> Data)? _newest;

    public void Load(TrainingJob job, IActorRef receiver) => Load(job, "", receiver);

    public void Load(TrainingJob job, string root, IActorRef receiver)
    {
        var name = root.Length == 0 ? DataRoots.Default : root;
        if (roots.Find(name) is not { } folder)
        {
            receiver.Tell(new DataLoaded(null, $"there is no data root '{name}' on this node (allowed: {string.Join(", ", roots.Names)})"));
            return;
        }

        var graph = Graph.Of(job.Model, job.Seed);
        var key = new DataKey(job.Data, job.Seed, job.Loss, graph.Output.Length, name);
        Task<DataSet> data;
        lock (_lock)
        {
            if (_newest is not { } newest || newest.Key != key || newest.Data.IsFaulted)
            {
                _newest = newest = (key, Task.Run(() => DataLoader.Load(job, graph.Output, folder)));
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
    private sealed record DataKey(DataSource Source, long Seed, LossKind Loss, int Outputs, string Root);
}
