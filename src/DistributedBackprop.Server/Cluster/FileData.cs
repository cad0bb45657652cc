using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Server.Jobs;
using DistributedBackprop.Training.ChainRule;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// The data of a node: read below its data root, or generated. The newest set is kept, for the next generation of its job;
/// files that were replaced since are read again.
/// </summary>
/// <param name="roots">The folders of the data files.</param>
internal sealed class FileData(DataRoots roots) : IDataSets
{
    private readonly Lock _lock = new();
    private (DataKey Key, Task<Loaded> Loading)? _newest;

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
        Task<Loaded> loading;
        lock (_lock)
        {
            // Whoever asks meanwhile waits for the same reading, and looks then whether the files are still those.
            var before = _newest is { } newest && newest.Key == key ? newest.Loading : null;
            loading = Task.Run(() => LoadAsync(before, job, graph, folder));
            _newest = (key, loading);
        }

        loading.ContinueWith(
            loaded => receiver.Tell(loaded.IsCompletedSuccessfully
                ? new DataLoaded(loaded.Result.Data, null)
                : new DataLoaded(null, loaded.Exception!.InnerException!.Message)),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private static async Task<Loaded> LoadAsync(Task<Loaded>? before, TrainingJob job, Graph graph, string folder)
    {
        await (before ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Looked at before they are read: what changes while they are read is another file at the next look.
        var files = FileStamp.OfAll(job.Data, folder);
        return before is { IsCompletedSuccessfully: true } && before.Result.Files.SequenceEqual(files)
            ? before.Result
            : new Loaded(files, DataLoader.Load(job, graph.Output, folder));
    }

    // All that the examples depend on, but for the content of the files.
    private sealed record DataKey(DataSource Source, long Seed, LossKind Loss, int Outputs, string Root);

    private sealed record Loaded(ImmutableArray<FileStamp> Files, DataSet Data);
}
