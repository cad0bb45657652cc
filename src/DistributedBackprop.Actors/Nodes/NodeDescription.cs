using System.Net;
using Akka.Actor;

namespace DistributedBackprop.Actors.Nodes;

/// <summary>What a node says of itself.</summary>
/// <param name="Name">Names it among the nodes of a cluster: 1 to 64 bytes of UTF-8.</param>
/// <param name="Threads">Threads on which its layers compute, ≥ 1.</param>
/// <param name="Tensors">Where it listens for tensors; null on a node without a network.</param>
/// <param name="ProcessId">The process it is.</param>
/// <param name="Version">The version of the program: nodes of different versions compute different bits.</param>
/// <param name="Settings">A digest of the settings that all nodes of a cluster must share.</param>
public sealed record NodeDescription(
    string Name, int Threads, DnsEndPoint? Tensors, int ProcessId, string Version, string Settings);

/// <summary>A node as the directory knows it.</summary>
/// <param name="Description">What it says of itself.</param>
/// <param name="Agent">Its agent (<see cref="NodeActor"/>).</param>
/// <param name="Presence">Whether work may be put there.</param>
public sealed record NodeInfo(NodeDescription Description, IActorRef Agent, NodePresence Presence)
{
    /// <summary>The node's name.</summary>
    public string Name => Description.Name;
}

/// <summary>Whether work may be put on a node.</summary>
public enum NodePresence
{
    /// <summary>It takes work.</summary>
    Up,

    /// <summary>It wants to go: what it does is to be handed over.</summary>
    Leaving,

    /// <summary>It does not answer at present.</summary>
    Unreachable,
}
