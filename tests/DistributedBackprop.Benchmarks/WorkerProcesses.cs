using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Benchmarks;

/// <summary><c>backprop node</c> processes of one thread each, which join a coordinator and may be killed.</summary>
internal sealed class WorkerProcesses(ClusterNode coordinator, string secret) : IDisposable
{
    private readonly Queue<Process> _running = [];
    private int _last;

    /// <summary>Starts one and waits until the cluster has it.</summary>
    public async Task AddAsync(TimeSpan patience)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"worker-{++_last}");
        var start = new ProcessStartInfo(
            Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"),
            [
                Path.Combine(AppContext.BaseDirectory, "backprop.dll"), "node", "--name", name, "--threads", "1", "--seeds",
                string.Create(CultureInfo.InvariantCulture, $"{coordinator.Address.Host}:{coordinator.Address.Port}"),
            ])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["BACKPROP__SECRET"] = secret;
        _running.Enqueue(Process.Start(start)!);
        using var overdue = new CancellationTokenSource(patience);
        await coordinator.NodesAsync(
            nodes => nodes.Any(node => node.Name == name && node.Presence == NodePresence.Up), overdue.Token);
    }

    /// <summary>Kills the one that was started first.</summary>
    public void Kill()
    {
        using var process = _running.Dequeue();
        process.Kill();
    }

    /// <summary>Ends all.</summary>
    public void Dispose()
    {
        while (_running.Count > 0)
        {
            Kill();
        }
    }
}
