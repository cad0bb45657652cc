using System.Globalization;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Server.Cluster;
using DistributedBackprop.Server.Running;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Tests.Cluster;

/// <summary>
/// A coordinator in this process, and <c>backprop node</c> processes that join it as nodes of other machines would: with
/// its address and a secret.
/// </summary>
internal sealed class OuterNodes : IAsyncDisposable
{
    private const string Secret = "known to this test alone";

    private readonly CommandFolder _folder = new();
    private readonly Dictionary<string, BackpropProcess> _processes = [];
    private readonly CancellationTokenSource _overdue = new(TimeSpan.FromSeconds(120));
    private readonly ClusterNode _coordinator;

    private readonly Generations _generations = new();

    private OuterNodes(ClusterNode coordinator)
    {
        _coordinator = coordinator;
        coordinator.System.ActorOf(Props.Create(() => new Listener(_generations)));
    }

    /// <summary>Starts the coordinator.</summary>
    public static async Task<OuterNodes> StartAsync() => new(await ClusterNode.StartAsync(
        new NodeOptions("head", new NodeSecret(Secret)) { Roles = [NodeOptions.Coordinator], IsLast = true }));

    /// <summary>A node's process.</summary>
    public BackpropProcess this[string name] => _processes[name];

    /// <summary>Starts nodes and waits until the cluster has them.</summary>
    /// <param name="dataRoot">The folder of their data; null: an empty one.</param>
    /// <param name="names">Their names.</param>
    public async Task AddAsync(string? dataRoot, params string[] names)
    {
        var seed = string.Create(CultureInfo.InvariantCulture, $"{_coordinator.Address.Host}:{_coordinator.Address.Port}");
        foreach (var name in names)
        {
            _processes[name] = BackpropProcess.Start(
                _folder.Path,
                new Dictionary<string, string> { ["BACKPROP__SECRET"] = Secret },
                "node", "--name", name, "--seeds", seed, "--threads", "1", "--data-root", dataRoot ?? _folder.Path);
        }

        await _coordinator.NodesAsync(
            nodes => names.All(name => nodes.Any(node => node.Name == name && node.Presence == NodePresence.Up)), _overdue.Token);
    }

    /// <summary>Waits until a generation of the job has begun, whether or not its events have been looked at so far.</summary>
    /// <param name="number">Which.</param>
    public Task UntilGenerationAsync(long number) => _generations.UntilAsync(number).WaitAsync(_overdue.Token);

    /// <summary>Runs a job. It goes on while its events are looked at, but only <see cref="JobRun.StepsAhead"/> steps.</summary>
    /// <param name="run">The job.</param>
    /// <param name="observe">Is told every event but the last, in order.</param>
    public Task<TrainingResult> RunAsync(JobRun run, Func<TrainingEvent, Task> observe) => Task.Run(() => _coordinator.RunAsync(
        run, happened => observe(happened).WaitAsync(_overdue.Token).GetAwaiter().GetResult(), _overdue.Token));

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes.Values)
        {
            process.Dispose();
        }

        await _coordinator.DisposeAsync();
        _overdue.Dispose();
        _folder.Dispose();
    }

    private sealed class Generations
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<long, TaskCompletionSource> _begun = [];

        public Task UntilAsync(long number) => Of(number).Task;

        public void OnBegun(long number) => Of(number).TrySetResult();

        private TaskCompletionSource Of(long number)
        {
            lock (_lock)
            {
                return _begun.TryGetValue(number, out var begun)
                    ? begun
                    : _begun[number] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    private sealed class Listener : ReceiveActor
    {
        public Listener(Generations generations)
        {
            Receive<JobHappened>(happened =>
            {
                if (happened.Event is GenerationStarted generation)
                {
                    generations.OnBegun(generation.Generation);
                }
            });
            Context.System.EventStream.Subscribe(Self, typeof(JobHappened));
        }
    }
}
