using System.Collections.Concurrent;
using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Node;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>A cluster of child processes, as <c>train --nodes N</c> makes it, for the tests of a class.</summary>
/// <param name="nodes">How many.</param>
/// <param name="isTls">Whether they speak TLS with each other.</param>
public abstract class ClusterOf(int nodes, bool isTls = false) : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _told = new();
    private readonly DirectoryInfo _certificates = Directory.CreateTempSubdirectory("backprop-tls-");

    /// <summary>How many nodes there are.</summary>
    public int Count => nodes;

    /// <summary>The cluster.</summary>
    public ClusterTraining Training { get; private set; } = null!;

    /// <summary>What the children wrote to standard error.</summary>
    public IEnumerable<string> Told => _told;

    /// <summary>Whether its processes speak TLS with each other.</summary>
    public bool IsTls => isTls;

    public async Task InitializeAsync() =>
        Training = await ClusterTraining.StartAsync(
            Nodes.Options(nodes) with
            {
                DataRoot = SharedData.FolderOf("mnist10k") ?? ".",
                Head = isTls ? NodeCertificate.HeadWith(NodeCertificate.Write(_certificates.FullName)) : null,
            },
            _told.Enqueue);

    public async Task DisposeAsync()
    {
        await Training.DisposeAsync();
        _certificates.Delete(recursive: true);
    }
}

/// <summary>One node.</summary>
public sealed class ClusterOfOne() : ClusterOf(1);

/// <summary>Two nodes.</summary>
public sealed class ClusterOfTwo() : ClusterOf(2);

/// <summary>Two nodes that speak TLS.</summary>
public sealed class ClusterOfTwoOverTls() : ClusterOf(2, isTls: true);

/// <summary>Three nodes.</summary>
public sealed class ClusterOfThree() : ClusterOf(3);

/// <summary>Four nodes.</summary>
public sealed class ClusterOfFour() : ClusterOf(4);
