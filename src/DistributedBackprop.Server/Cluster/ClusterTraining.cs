using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using DistributedBackprop.Actors.Jobs;
using DistributedBackprop.Actors.Nodes;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Server.Running;
using DistributedBackprop.Server.Storage;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;
using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Server.Cluster;

/// <summary>How a cluster on this machine is made.</summary>
/// <param name="Nodes">How many child processes, ≥ 1.</param>
/// <param name="ThreadsPerNode">Threads on which the layers of each compute, ≥ 1.</param>
/// <param name="DataRoot">The folder of the data files.</param>
public sealed record ClusterTrainingOptions(int Nodes, int ThreadsPerNode, string DataRoot)
{
    /// <summary>How long the nodes may take to come up.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How this process is set up (<see cref="NodeOptionsReader.ReadHead"/>); null: on loopback, without TLS, with a secret
    /// that nobody else knows.
    /// </summary>
    public NodeOptions? Head { get; init; }

    /// <summary>Where jobs outlive this process; null: they do not.</summary>
    public string? StateFolder { get; init; }

    /// <summary>What is started as a node; by default this program.</summary>
    public ChildProgram? Program { get; init; }
}

/// <summary>A cluster could not be made; the message says why, for people.</summary>
/// <param name="message">For people.</param>
public sealed class ClusterTrainingException(string message) : Exception(message);

/// <summary>
/// A cluster on this machine: this process is its only coordinator and no worker, its children <c>node-1</c> … are the
/// workers. Nodes of other machines may join where they know the secret, which is random unless it is set.
/// A child that ends otherwise than politely is followed by another one of its name; one that does not answer any more is
/// killed first. Where children end again and again without a step between, the job fails.
/// </summary>
public sealed class ClusterTraining : ITrainer
{
    // For each node; nodes that are lost do not end a job, but those that never get a step done would for ever.
    private const int MostEndsWithoutStep = 3;

    private readonly ClusterNode _node;
    private readonly Action<string> _tell;
    private readonly TaskCompletionSource<ChildExit> _firstExit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _gaveUp = new();
    private readonly CancellationTokenSource _disposing = new();
    private readonly Lock _lock = new();
    private ImmutableDictionary<string, NodeOptions> _options = ImmutableDictionary<string, NodeOptions>.Empty;
    private ChildNodes? _children;
    private ImmutableArray<NodeInfo> _nodes = [];
    private ImmutableArray<NodeInfo> _known = [];
    private string _whyGivenUp = "";
    private int _endsWithoutStep;
    private bool _stands;

    private ClusterTraining(ClusterNode node, Action<string> tell)
    {
        _node = node;
        _tell = tell;
    }

    /// <summary>The coordinator's actors.</summary>
    public ActorSystem System => _node.System;

    /// <summary>The node directory: it answers <see cref="WatchNodes"/>.</summary>
    public IActorRef Directory => _node.Directory!;

    /// <summary>The coordinator's tensor plane.</summary>
    public TensorPlane Plane => _node.Plane;

    /// <summary>Lends the coordinator's tensors.</summary>
    public TensorPool Pool => _node.Pool;

    /// <summary>The nodes as they were when all had come up, in the order of their names.</summary>
    public ImmutableArray<NodeInfo> Nodes => _nodes;

    /// <summary>Completes when a child has ended by itself.</summary>
    public Task<ChildExit> FirstExit => _firstExit.Task;

    /// <summary>Starts the coordinator and the children, and waits until all nodes are up.</summary>
    /// <param name="options">How.</param>
    /// <param name="tell">Is told what people should hear, such as lines of the children's errors; from any thread.</param>
    /// <param name="cancellation">Gives the start up.</param>
    /// <exception cref="ClusterTrainingException">A child ended, or not all came up in time.</exception>
    /// <exception cref="StorageException">The folder of state cannot be used.</exception>
    public static async Task<ClusterTraining> StartAsync(
        ClusterTrainingOptions options, Action<string> tell, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Nodes, 1, nameof(options));
        var head = options.Head ?? new NodeOptions("coordinator", NodeSecret.Random())
        {
            Roles = [NodeOptions.Coordinator],
            IsLast = true,
        };
        head = options.StateFolder is null ? head : head with { Storage = new StorageOptions(options.StateFolder, null) };
        var training = new ClusterTraining(await ClusterNode.StartAsync(head, logging => logging.AddProvider(new StarvationLog(tell)), cancellation), tell);
        try
        {
            await training.StartChildrenAsync(options, head, cancellation);
            return training;
        }
        catch
        {
            await training.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<TrainingResult> RunAsync(
        JobRun run, Action<TrainingEvent> observe, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _gaveUp.Token);
        var result = await _node.RunAsync(run, OnEvent, either.Token);
        long? stoppedAt = result.Outcome switch
        {
            TrainingCancelled cancelled => cancelled.Step,
            TrainingPaused paused => paused.Step,
            _ => null,
        };
        if (stoppedAt is not { } step || !_gaveUp.IsCancellationRequested)
        {
            return result;
        }

        result.Dispose();
        return new TrainingResult(new TrainingFailed(run.Id, step, null, _whyGivenUp), result.Graph, [], result.Generations);

        void OnEvent(TrainingEvent happened)
        {
            if (happened is StepDone)
            {
                Interlocked.Exchange(ref _endsWithoutStep, 0);
            }

            observe(happened);
        }
    }

    /// <summary>Waits until the node directory shows nodes that fit.</summary>
    /// <param name="fits">Whether they do; called from an actor.</param>
    /// <param name="cancellation">Gives the wait up.</param>
    public Task<ImmutableArray<NodeInfo>> NodesAsync(
        Func<ImmutableArray<NodeInfo>, bool> fits, CancellationToken cancellation) => _node.NodesAsync(fits, cancellation);

    /// <summary>Ends all.</summary>
    public async ValueTask DisposeAsync()
    {
        await _disposing.CancelAsync();
        if (_children is not null)
        {
            await _children.DisposeAsync();
        }

        await _node.DisposeAsync();
        _gaveUp.Dispose();
        _disposing.Dispose();
    }

    private async Task StartChildrenAsync(ClusterTrainingOptions options, NodeOptions head, CancellationToken cancellation)
    {
        var seed = _node.Address;
        var nodes = Enumerable.Range(1, options.Nodes).Select(number => new NodeOptions(
            string.Create(CultureInfo.InvariantCulture, $"node-{number}"), head.Secret)
        {
            Host = head.Host,
            PublicHost = head.PublicHost,
            Seeds = [seed],
            Threads = options.ThreadsPerNode,
            DataRoot = Path.GetFullPath(options.DataRoot),
            TlsFiles = head.TlsFiles,
            IsInsecure = head.Tls is null,
        }).ToImmutableArray();
        _options = nodes.ToImmutableDictionary(node => node.Name);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(options.Deadline);
        var seen = ImmutableArray<NodeInfo>.Empty;
        var up = _node.NodesAsync(
            now =>
            {
                seen = now;
                return now.Count(node => node.Presence == NodePresence.Up) >= options.Nodes;
            },
            deadline.Token);
        _children = ChildNodes.Start(options.Program ?? ChildProgram.Current, nodes, _tell, OnExit);
        await Task.WhenAny(up, FirstExit);
        if (up.IsCompletedSuccessfully)
        {
            _nodes = _known = await up;
            _stands = true;
            _ = WatchChildrenAsync();
        }

        // After the nodes are known: who ends from now on is found there.
        if (FirstExit.IsCompleted)
        {
            var exit = await FirstExit;
            throw new ClusterTrainingException(string.Create(
                CultureInfo.InvariantCulture, $"{exit.Node} ended with exit code {exit.ExitCode} before the cluster stood"));
        }

        cancellation.ThrowIfCancellationRequested();
        if (_nodes.IsEmpty)
        {
            throw new ClusterTrainingException(string.Create(
                CultureInfo.InvariantCulture,
                $"only {seen.Length} of {options.Nodes} nodes came up within {options.Deadline.TotalSeconds} s ({string.Join(", ", seen.Select(node => node.Name))})"));
        }
    }

    // The parent of a process knows for certain that it is dead: the cluster need not wait for its failure detector.
    private void OnExit(ChildExit exit)
    {
        _firstExit.TrySetResult(exit);
        _tell(string.Create(CultureInfo.InvariantCulture, $"{exit.Node} ended with exit code {exit.ExitCode}"));
        foreach (var node in _known.Where(node => node.Description.ProcessId == exit.ProcessId))
        {
            Directory.Tell(new NodeIsDead(node.Agent));
        }

        // One that was asked to leave has done so.
        if (_stands && exit.ExitCode != 0)
        {
            Replace(exit);
        }
    }

    private void Replace(ChildExit exit)
    {
        if (Interlocked.Increment(ref _endsWithoutStep) <= (MostEndsWithoutStep * _options.Count) + 1)
        {
            _children!.Start(_options[exit.Node]);
            return;
        }

        lock (_lock)
        {
            _whyGivenUp = string.Create(
                CultureInfo.InvariantCulture,
                $"the nodes end again and again without a step between: at last {exit.Node} with exit code {exit.ExitCode}");
        }

        _gaveUp.Cancel();
    }

    // A child that is silent may be frozen for good; its parent need not wait for the cluster to agree that it is gone.
    private async Task WatchChildrenAsync()
    {
        try
        {
            await _node.NodesAsync(
                now =>
                {
                    _known = now;
                    foreach (var silent in now.Where(node => node.Presence == NodePresence.Unreachable))
                    {
                        _children!.Kill(silent.Description.ProcessId);
                    }

                    return false;
                },
                _disposing.Token);
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
    }
}
