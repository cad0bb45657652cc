using System.Collections.Concurrent;
using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Node;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>A cluster of child processes, as <c>train --nodes N</c> makes it, for the tests of a class.</summary>
/// <param name="nodes">How many.</param>
public abstract class ClusterOf(int nodes) : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _told = new();

    /// <summary>How many nodes there are.</summary>
    public int Count => nodes;

    /// <summary>The cluster.</summary>
    public ClusterTraining Training { get; private set; } = null!;

    /// <summary>What the children wrote to standard error.</summary>
    public IEnumerable<string> Told => _told;

    public async Task InitializeAsync() =>
        Training = await ClusterTraining.StartAsync(
            Nodes.Options(nodes) with { DataRoot = SharedData.FolderOf("mnist10k") ?? "." }, _told.Enqueue);

    public async Task DisposeAsync() => await Training.DisposeAsync();
}

/// <summary>One node.</summary>
public sealed class ClusterOfOne() : ClusterOf(1);

/// <summary>Two nodes.</summary>
public sealed class ClusterOfTwo() : ClusterOf(2);

/// <summary>Three nodes.</summary>
public sealed class ClusterOfThree() : ClusterOf(3);

/// <summary>Four nodes.</summary>
public sealed class ClusterOfFour() : ClusterOf(4);
