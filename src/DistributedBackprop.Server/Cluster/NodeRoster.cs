using System.Collections.Immutable;
using Akka.Actor;
using DistributedBackprop.Actors.Nodes;

namespace DistributedBackprop.Server.Cluster;

/// <summary>
/// What the node directory knows of the members of the cluster, and what it decides: who is asked, who is refused, who is
/// shown.
/// </summary>
/// <param name="version">The version that nodes must have.</param>
/// <param name="settings">The digest of the settings that nodes must have.</param>
internal sealed class NodeRoster(string version, string settings)
{
    // In the order of their coming: of two nodes with one name the first stays.
    private readonly List<Entry> _entries = [];

    /// <summary>Members that have not said yet what they are.</summary>
    public IEnumerable<Address> Unknown => _entries
        .Where(entry => entry.Description is null && entry.Refusal is null && entry.IsReachable)
        .Select(entry => entry.Address);

    /// <summary>Members that are refused, and why.</summary>
    public IEnumerable<(Address Address, string Reason)> Refused => _entries
        .Where(entry => entry.Refusal is not null)
        .Select(entry => (entry.Address, entry.Refusal!));

    /// <summary>The nodes as others are to see them, in the order of their names.</summary>
    public ImmutableArray<NodeInfo> Nodes =>
    [
        .. _entries
            .Where(entry => entry.Description is not null)
            .Select(entry => new NodeInfo(entry.Description!, entry.Agent!, entry.Presence))
            .OrderBy(node => node.Name, StringComparer.Ordinal),
    ];

    /// <summary>A worker is up. Said again it changes nothing.</summary>
    public void Up(Address address)
    {
        if (Find(address) is null)
        {
            _entries.Add(new Entry(address));
        }
    }

    /// <summary>A node has said what it is.</summary>
    /// <returns>Why it is refused; null where it is not.</returns>
    public string? Describe(Address address, NodeDescription description, IActorRef agent)
    {
        if (Find(address) is not { } entry || entry.Refusal is not null)
        {
            return null;
        }

        if (Objection(entry, description) is { } reason)
        {
            entry.Refusal = reason;
            entry.Description = null;
            return reason;
        }

        entry.Description = description;
        entry.Agent = agent;
        return null;
    }

    /// <summary>A member wants to go.</summary>
    public void Leaving(Address address)
    {
        if (Find(address) is { } entry)
        {
            entry.IsLeaving = true;
        }
    }

    /// <summary>A node wants to go.</summary>
    public void Leaving(string name)
    {
        if (_entries.Find(entry => entry.Description?.Name == name) is { } entry)
        {
            entry.IsLeaving = true;
        }
    }

    /// <summary>A member answers, or does not.</summary>
    public void Reachable(Address address, bool isReachable)
    {
        if (Find(address) is { } entry)
        {
            entry.IsReachable = isReachable;
        }
    }

    /// <summary>A member is gone for good.</summary>
    public void Remove(Address address) => _entries.RemoveAll(entry => entry.Address.Equals(address));

    /// <summary>The member whose agent this is; null where there is none.</summary>
    public Address? Find(IActorRef agent) => _entries.Find(entry => agent.Equals(entry.Agent))?.Address;

    private string? Objection(Entry entry, NodeDescription described)
    {
        if (described.Version != version)
        {
            return $"node '{described.Name}' has version {described.Version}, this cluster has version {version}";
        }

        if (described.Settings != settings)
        {
            return $"node '{described.Name}' has cluster settings {described.Settings}, this cluster has {settings}";
        }

        return _entries.Find(other => other != entry && other.Description?.Name == described.Name) is { } first
            ? $"a node named '{described.Name}' is there already, at {first.Address}; the one at {entry.Address} must have another name"
            : null;
    }

    private Entry? Find(Address address) => _entries.Find(entry => entry.Address.Equals(address));

    private sealed class Entry(Address address)
    {
        public Address Address { get; } = address;

        public NodeDescription? Description { get; set; }

        public IActorRef? Agent { get; set; }

        public string? Refusal { get; set; }

        public bool IsLeaving { get; set; }

        public bool IsReachable { get; set; } = true;

        // A node that leaves and does not answer is, for those who have work there, one that does not answer.
        public NodePresence Presence => !IsReachable ? NodePresence.Unreachable : IsLeaving ? NodePresence.Leaving : NodePresence.Up;
    }
}
