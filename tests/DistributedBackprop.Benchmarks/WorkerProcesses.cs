using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// <c>backprop node</c> processes of one thread each, which join a coordinator and may be killed; whoever follows one has its
/// name and its address, as where an engine starts it anew.
/// </summary>
internal sealed class WorkerProcesses(ClusterNode coordinator, string secret, string program) : IDisposable
{
    private readonly Queue<Worker> _running = [];
    private Worker? _killed;
    private int _last;

    /// <summary>Starts one, that which was killed last if it was not followed yet, and waits until the cluster has it.</summary>
    public async Task AddAsync(TimeSpan patience)
    {
        var name = _killed?.Name ?? string.Create(CultureInfo.InvariantCulture, $"worker-{++_last}");
        var port = _killed?.Port ?? 0;
        var start = new ProcessStartInfo(
            Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"),
            [
                program, "node", "--name", name, "--threads", "1", "--port",
                string.Create(CultureInfo.InvariantCulture, $"{port}"), "--seeds",
                string.Create(CultureInfo.InvariantCulture, $"{coordinator.Address.Host}:{coordinator.Address.Port}"),
            ])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["BACKPROP__SECRET"] = secret;
        var process = Process.Start(start)!;
        using var overdue = new CancellationTokenSource(patience);
        bool IsIt(NodeInfo node) =>
            node.Name == name && node.Presence == NodePresence.Up && node.Description.ProcessId == process.Id;
        try
        {
            var nodes = await coordinator.NodesAsync(nodes => nodes.Any(IsIt), overdue.Token);
            _running.Enqueue(new Worker(name, nodes.Single(IsIt).Agent.Path.Address.Port!.Value, process));
            _killed = null;
        }
        catch
        {
            process.Kill();
            throw;
        }
    }

    /// <summary>Kills the one that was started first.</summary>
    public void Kill()
    {
        _killed = _running.Dequeue();
        _killed.Process.Kill();
        _killed.Process.WaitForExit();
        _killed.Process.Dispose();
    }

    /// <summary>Ends all.</summary>
    public void Dispose()
    {
        while (_running.Count > 0)
        {
            Kill();
        }
    }

    private sealed record Worker(string Name, int Port, Process Process);
}
