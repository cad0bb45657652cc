using System.Collections.Immutable;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// The threads on which a node's layers compute. Each stage of each replica has one thread of its own (a lane), where its
/// data is warm; stages share lanes where there are fewer threads, and threads that are left help a lane with its tiles.
/// </summary>
/// <param name="Threads">How many threads, ≥ 1.</param>
/// <param name="TilesOf">Makes the tile runner of a lane for a number of threads.</param>
public sealed record LayerThreads(int Threads, Func<int, ITiles> TilesOf)
{
    /// <summary>One thread that runs everything in order: the simulation's.</summary>
    public static LayerThreads Sequential { get; } = new(1, _ => SequentialTiles.Instance);

    /// <summary>The dispatcher of a lane.</summary>
    public static string DispatcherOf(int lane) => $"backprop.lane-{lane}";

    /// <summary>The dispatcher of links to other nodes: what leaves waits for no kernel.</summary>
    public const string LinkDispatcher = "backprop.links";

    /// <summary>The configuration of the lanes' and the links' dispatchers: one dedicated thread each.</summary>
    public static string Hocon(int lanes) => string.Concat(Enumerable.Range(0, lanes).Select(DispatcherOf)
        .Append(LinkDispatcher)
        .Select(dispatcher => $"{dispatcher} {OwnThreadsConfigurator.Hocon(1)}\n"));

    /// <summary>Shares the threads out.</summary>
    /// <param name="pipelines">Stages of replicas that run here, ≥ 1.</param>
    /// <returns>How many threads each lane has: one of its own and its helpers.</returns>
    public ImmutableArray<int> WidthsFor(int pipelines)
    {
        var lanes = Math.Min(Threads, pipelines);
        return [.. Enumerable.Range(0, lanes).Select(lane => (Threads / lanes) + (lane < Threads % lanes ? 1 : 0))];
    }
}
