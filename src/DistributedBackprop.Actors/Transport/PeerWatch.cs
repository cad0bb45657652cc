namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// Which nodes have connections here, and for which generations: so that a generation hears at once when the last
/// connection of a node has ended, though it may have nothing to send there. Safe for any number of threads.
/// <para>
/// A connection does not say which generation it is for. Until its first frame it counts for all that lived here when it
/// said hello (whoever prepares a generation later has not been greeted by it), from then on for those it has delivered to.
/// </para>
/// </summary>
internal sealed class PeerWatch(GenerationGate gate)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<PeerConnection>> _nodes = [];

    /// <summary>A connection has said hello.</summary>
    public PeerConnection Enter(string node)
    {
        var connection = new PeerConnection(this, node, gate.Living());
        lock (_lock)
        {
            if (!_nodes.TryGetValue(node, out var connections))
            {
                _nodes[node] = connections = [];
            }

            connections.Add(connection);
        }

        return connection;
    }

    internal void Delivered(PeerConnection connection, GenerationKey generation)
    {
        lock (_lock)
        {
            if (!connection.HasDelivered)
            {
                connection.HasDelivered = true;
                connection.Generations.Clear();
            }

            // Those that are over need no watch: a connection that lives long does not gather them.
            connection.Generations.RemoveAll(known => !gate.IsLiving(known));
            connection.Generations.Add(generation);
        }
    }

    internal void Leave(PeerConnection connection, string? reason)
    {
        var lost = new List<GenerationKey>();
        lock (_lock)
        {
            var others = _nodes[connection.Node];
            others.Remove(connection);
            if (others.Count == 0)
            {
                _nodes.Remove(connection.Node);
            }

            // One that has delivered outweighs one that only may be for the same generation.
            lost.AddRange(connection.Generations.Where(generation => !others.Exists(
                other => (other.HasDelivered || !connection.HasDelivered) && other.Generations.Contains(generation))));
        }

        if (reason is null)
        {
            return;
        }

        foreach (var generation in lost)
        {
            gate.TakeLoss(generation, connection.Node)?.OnPeerLost(connection.Node, reason);
        }
    }
}

/// <summary>A connection that has said hello. But for its end, one thread at a time.</summary>
internal sealed class PeerConnection(PeerWatch watch, string node, List<GenerationKey> generations)
{
    private GenerationKey _latest;

    /// <summary>Who calls.</summary>
    public string Node { get; } = node;

    /// <summary>What it counts for; the watch's.</summary>
    public List<GenerationKey> Generations { get; } = generations;

    /// <summary>Whether a frame has come that was delivered; the watch's.</summary>
    public bool HasDelivered { get; set; }

    /// <summary>A frame has come that is delivered.</summary>
    public void Delivers(in FrameHeader header)
    {
        var generation = new GenerationKey(header.Job, header.Generation);
        if (generation != _latest)
        {
            _latest = generation;
            watch.Delivered(this, generation);
        }
    }

    /// <summary>It has ended.</summary>
    /// <param name="reason">What happened, for people; null where this end has closed it.</param>
    public void Leave(string? reason) => watch.Leave(this, reason);
}
