namespace DistributedBackprop.Simulation.Clusters;

/// <summary>What a simulated cluster may be told. Times are virtual.</summary>
public sealed record ClusterOptions
{
    /// <summary>Frames of each flow that a connection may have under way, ≥ 1. Null: drawn from the seed, 1 to 64. Default: null.</summary>
    public int? Places { get; init; }

    /// <summary>Silence after which a node counts as unreachable. Default: 9 s.</summary>
    public TimeSpan UnreachableAfter { get; init; } = TimeSpan.FromSeconds(9);

    /// <summary>Silence after which a node is put down. Default: 17 s.</summary>
    public TimeSpan RemovedAfter { get; init; } = TimeSpan.FromSeconds(17);

    /// <summary>After how long a process that has died is started again by whoever watches over it; null: never. Default: null.</summary>
    public TimeSpan? RestartAfter { get; init; }

    /// <summary>The longest time the job may take, after which the run counts as one that does not end. Default: one hour.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Whether all that happens enters the trace; without it the trace hash is not complete, and it is faster. Default: true.</summary>
    public bool TracesContent { get; init; } = true;

    /// <summary>The shortest virtual time a message takes to be handled. Default: 1 µs.</summary>
    public TimeSpan ShortestRun { get; init; } = TimeSpan.FromMicroseconds(1);

    /// <summary>The longest virtual time a message takes to be handled. Default: 200 µs.</summary>
    public TimeSpan LongestRun { get; init; } = TimeSpan.FromMicroseconds(200);

    /// <summary>Called with every line of the trace. Default: null.</summary>
    public Action<string>? OnTrace { get; init; }
}
