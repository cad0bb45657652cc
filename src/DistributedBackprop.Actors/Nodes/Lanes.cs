using System.Collections.Immutable;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>The threads of one generation on one node, and what runs on each.</summary>
internal sealed class Lanes : IDisposable
{
    private readonly int _pipelines;

    private Lanes(ImmutableArray<Workspace> workspaces, int pipelines)
    {
        Workspaces = workspaces;
        _pipelines = pipelines;
    }

    /// <summary>What the layers of each lane compute with.</summary>
    public ImmutableArray<Workspace> Workspaces { get; }

    /// <summary>Shares a node's threads out over the stages of replicas that run on it.</summary>
    public static Lanes For(LayerThreads threads, TensorPool pool, int pipelines) =>
        new([.. threads.WidthsFor(pipelines).Select(width => new Workspace(pool, threads.TilesOf(width)))], pipelines);

    /// <summary>The lane of a stage: neighbours share one rather than taking turns.</summary>
    /// <param name="pipeline">The stage's number over all replicas, those of one replica together.</param>
    public int Of(int pipeline) => (int)((long)pipeline * Workspaces.Length / _pipelines);

    /// <summary>Ends the threads that help with tiles.</summary>
    public void Dispose()
    {
        foreach (var workspace in Workspaces)
        {
            (workspace.Tiles as IDisposable)?.Dispose();
        }
    }
}
