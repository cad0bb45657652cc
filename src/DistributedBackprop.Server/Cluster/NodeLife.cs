using Akka.Actor;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Server.Cluster;

/// <summary>What the agent and the process of a node tell each other; from any thread.</summary>
/// <param name="describe">Says what the node is, once its ports are open.</param>
internal sealed class NodeLife(Func<NodeDescription> describe) : INodeLife
{
    private readonly Lazy<NodeDescription> _description = new(describe);
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc/>
    public NodeDescription Description => _description.Value;

    /// <summary>The directories that have asked.</summary>
    public Directories Directories { get; } = new();

    /// <summary>Why the process must end.</summary>
    public Task<string> Ended => _ended.Task;

    /// <inheritdoc/>
    public void OnDirectory(IActorRef directory) => Directories.Add(directory);

    /// <inheritdoc/>
    public void OnRefused(string reason) => _ended.TrySetResult(reason);
}
