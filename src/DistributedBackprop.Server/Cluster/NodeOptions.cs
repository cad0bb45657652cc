using System.Collections.Immutable;
using System.Net;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Server.Grpc;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Server.Telemetry;

namespace DistributedBackprop.Server.Cluster;

/// <summary>How one node of a cluster is set up; see <see cref="NodeOptionsReader"/> for where it comes from.</summary>
/// <param name="Name">Names it among the nodes: 1 to 64 bytes of letters, digits, <c>-</c>, <c>_</c> and <c>.</c>.</param>
/// <param name="Secret">What all nodes of the cluster know.</param>
public sealed record NodeOptions(string Name, NodeSecret Secret)
{
    /// <summary>The role of a node that trains.</summary>
    public const string Worker = "worker";

    /// <summary>The role of a node that may coordinate.</summary>
    public const string Coordinator = "coordinator";

    /// <summary>What it does: <see cref="Worker"/>, <see cref="Coordinator"/> or both.</summary>
    public ImmutableArray<string> Roles { get; init; } = [Worker];

    /// <summary>The address on which it listens.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>The host under which other nodes reach it.</summary>
    public string PublicHost { get; init; } = IPAddress.Loopback.ToString();

    /// <summary>The port of control messages; 0: any.</summary>
    public int Port { get; init; }

    /// <summary>The port of tensors; 0: any.</summary>
    public int TensorPort { get; init; }

    /// <summary>Nodes through which it joins; none: it is the first, which only a coordinator can be.</summary>
    public ImmutableArray<DnsEndPoint> Seeds { get; init; } = [];

    /// <summary>The folder of the data files.</summary>
    public string DataRoot { get; init; } = ".";

    /// <summary>Folders of data files that jobs of the service name, by their names, besides <see cref="DataRoot"/>.</summary>
    public ImmutableDictionary<string, string> DataRoots { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>How it serves; null: it does not.</summary>
    public ServiceOptions? Service { get; init; }

    /// <summary>Where it sends what it measures; null: nowhere.</summary>
    public TelemetryOptions? Telemetry { get; init; }

    /// <summary>How it writes its log.</summary>
    public LogFormat LogFormat { get; init; }

    /// <summary>Where a coordinator keeps the jobs of its service; null: in memory, they end with it.</summary>
    public StorageOptions? Storage { get; init; }

    /// <summary>Threads on which its layers compute, ≥ 1.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>TLS between nodes, of control messages and of tensors; null: none.</summary>
    public PlaneTls? Tls { get; init; }

    /// <summary>The files of <see cref="Tls"/> where it came from files: a child is told their names.</summary>
    public TlsFiles? TlsFiles { get; init; }

    /// <summary>Whether it may listen beyond this machine without TLS.</summary>
    public bool IsInsecure { get; init; }

    /// <summary>How long it looks for its cluster.</summary>
    public TimeSpan JoinDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a polite leave may wait for its work to be handed over.</summary>
    public TimeSpan LeaveDeadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The version that it says it has: nodes of different versions compute different bits.</summary>
    internal string Version { get; init; } = ProgramVersion.Current;

    /// <summary>
    /// Whether the cluster ends with this node: it then goes without asking the others, who may be dead already.
    /// </summary>
    internal bool IsLast { get; init; }

    /// <summary>All folders of data files, by their names.</summary>
    internal Jobs.DataRoots AllDataRoots => new(DataRoots.SetItem(Jobs.DataRoots.Default, DataRoot));

    /// <summary>Whether it takes work.</summary>
    public bool IsWorker => Roles.Contains(Worker);

    /// <summary>Whether it may coordinate.</summary>
    public bool IsCoordinator => Roles.Contains(Coordinator);
}
