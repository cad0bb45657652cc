using System.Collections.Concurrent;
using System.Collections.Immutable;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Server.Cluster;
using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Server.Tests.Cluster;

/// <summary>
/// A real cluster of several actor systems in this process, on ports of its own. Disposing of it also asserts that no
/// heartbeat was late: a test that starves them would prove nothing.
/// </summary>
internal sealed class ClusterNodes : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<ClusterNode> _nodes = [];
    private readonly HeartbeatListener _log = new();
    private readonly CancellationTokenSource _overdue = new(Patience);

    public NodeSecret Secret { get; } = new("what all nodes of the test know");

    public ClusterNode Coordinator => _nodes[0];

    public CancellationToken Overdue => _overdue.Token;

    public IEnumerable<string> Log => _log.Lines;

    /// <summary>A cluster of a coordinator that is no worker.</summary>
    public static async Task<ClusterNodes> StartAsync(PlaneTls? tls = null)
    {
        var nodes = new ClusterNodes();
        await nodes.AddAsync("head", options => options with { Roles = [NodeOptions.Coordinator], Seeds = [], Tls = tls });
        await nodes.Coordinator.UpAsync(nodes.Overdue);
        return nodes;
    }

    /// <summary>Starts a node that joins.</summary>
    public async Task<ClusterNode> AddAsync(string name, Func<NodeOptions, NodeOptions>? change = null)
    {
        var options = new NodeOptions(name, Secret) { Threads = 1, Seeds = [.. _nodes.Take(1).Select(node => node.Address)] };
        var node = await ClusterNode.StartAsync(
            change?.Invoke(options) ?? options,
            builder => builder.AddProvider(_log).SetMinimumLevel(LogLevel.Warning),
            Overdue);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Waits until the directory shows just these nodes.</summary>
    public Task<ImmutableArray<NodeInfo>> UntilAsync(params (string Name, NodePresence Presence)[] expected) =>
        Coordinator.NodesAsync(
            nodes => nodes.Select(node => (node.Name, node.Presence)).SequenceEqual(expected), Overdue);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Enumerable.Reverse(_nodes))
        {
            await node.DisposeAsync();
        }

        _overdue.Dispose();
        _log.Lines.ShouldNotContain(line => line.Contains("heartbeat was delayed", StringComparison.OrdinalIgnoreCase));
    }

    private sealed class HeartbeatListener : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
