using System.Collections.Immutable;
using Akka.Actor;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>
/// The directories that have asked a node what it is: every process that may coordinate has one, and which of them the jobs
/// listen to a node does not know. From any thread.
/// </summary>
public sealed class Directories
{
    private ImmutableDictionary<string, IActorRef> _byPath = ImmutableDictionary<string, IActorRef>.Empty;

    /// <summary>All of them; of a process that was started again the new one.</summary>
    public ImmutableArray<IActorRef> All => [.. Volatile.Read(ref _byPath).Values];

    /// <summary>One has asked.</summary>
    public void Add(IActorRef directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ImmutableInterlocked.AddOrUpdate(ref _byPath, directory.Path.ToStringWithAddress(), directory, (_, _) => directory);
    }
}
