using System.Text;
using DistributedBackprop.Cli.Tests.Running;

namespace DistributedBackprop.Cli.Tests.Telemetry;

/// <summary>A coordinator and workers as processes, in an environment of their own.</summary>
internal sealed class TelemetryCluster : IDisposable
{
    private readonly Dictionary<string, string> _environment;
    private readonly List<BackpropProcess> _workers = [];
    private readonly StringBuilder _said = new();
    private BackpropProcess _head = null!;

    private TelemetryCluster(Dictionary<string, string> environment) => _environment = environment;

    public CommandFolder Folder { get; } = new();

    /// <summary>Where the last worker serves.</summary>
    public string WorkerAddress { get; private set; } = "";

    /// <summary>All that the nodes have said, once they have left.</summary>
    public string Said => _said.ToString();

    /// <summary>The log of the coordinator's node.</summary>
    public string HeadErrors { get; private set; } = "";

    public static async Task<TelemetryCluster> StartAsync(
        Dictionary<string, string> variables, string token, string secret, int workers = 2, params string[] flags)
    {
        var cluster = new TelemetryCluster(new(variables) { ["BACKPROP__TOKEN"] = token, ["BACKPROP__SECRET"] = secret });
        cluster._head = cluster.Start(["node", "--roles", "coordinator", "--name", "head", "--service-port", "0", .. flags]);
        var line = await cluster._head.ReadUntilAsync(line => line.EndsWith(" is up", StringComparison.Ordinal));
        cluster._environment["BACKPROP__ADDRESS"] = line.Split("service at ")[1].Split(' ')[0];
        for (var i = 1; i <= workers; i++)
        {
            var worker = cluster.Start(
                ["node", "--name", $"worker{i}", "--threads", "1", "--seeds", line.Split(" at ")[1].Split(',')[0], .. flags]);
            cluster._workers.Add(worker);
            var said = await worker.ReadUntilAsync(said => said.EndsWith(" is up", StringComparison.Ordinal));
            cluster.WorkerAddress = said.Split("service at ")[1].Split(' ')[0];
        }

        return cluster;
    }

    /// <summary>Hands a job in and watches it.</summary>
    public BackpropProcess Submit(string job, string id) => Start(["submit", job, "--id", id, "--watch", "--json"]);

    public void KillWorker() => _workers[^1].Signal("KILL");

    /// <summary>Has all nodes leave.</summary>
    public async Task LeaveAsync()
    {
        foreach (var node in _workers.Append(_head))
        {
            node.Signal("TERM");
            var ended = await node.EndAsync();
            HeadErrors = ended.Errors;
            _said.Append(ended.Output).Append(ended.Errors);
        }
    }

    public void Dispose()
    {
        _workers.ForEach(worker => worker.Dispose());
        _head.Dispose();
        Folder.Dispose();
    }

    private BackpropProcess Start(string[] command) => BackpropProcess.Start(Folder.Path, _environment, command);
}
