using System.Net;
using System.Net.Sockets;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Simulation.Clusters;

/// <summary>A host's end of the simulated network for tensors; it judges frames as the real one does.</summary>
internal sealed class SimulatedPlane : ITensorPlane
{
    private static readonly TimeSpan _probeDeadline = TimeSpan.FromSeconds(1);

    public SimulatedPlane(SimulatedNode host, TensorNetwork network, TensorPool pool, int port)
    {
        (Host, Network, Pool, Port) = (host, network, pool, port);
        Watch = new PeerWatch(Gate);
        network.Add(this);
    }

    /// <summary>The host.</summary>
    public SimulatedNode Host { get; }

    /// <summary>What it is part of.</summary>
    public TensorNetwork Network { get; }

    /// <summary>Lends the tensors that arrive.</summary>
    public TensorPool Pool { get; }

    /// <summary>Its number among all hosts that there ever were.</summary>
    public int Port { get; }

    /// <summary>Where others find it.</summary>
    public DnsEndPoint EndPoint => new(Host.Name, Port, AddressFamily.InterNetwork);

    /// <summary>Which generations live here.</summary>
    public GenerationGate Gate { get; } = new();

    /// <summary>Who has connections here.</summary>
    public PeerWatch Watch { get; }

    public void Prepare(ulong job, long generation, ITensorReceiver receiver) => Gate.Prepare(job, generation, receiver);

    public void Retire(ulong job, long generation) => Gate.Retire(job, generation);

    public ITensorLink Open(DnsEndPoint peer, ILinkObserver observer)
    {
        var link = new SimulatedLink(this, peer, observer);
        link.Start();
        return link;
    }

    public void Probe(DnsEndPoint peer, Action<ProbeOutcome> told)
    {
        var outcome = Reach(peer);
        var after = outcome == ProbeOutcome.Silent ? _probeDeadline : Network.Latency() * 2;
        Host.After(after, () => told(outcome));
    }

    /// <summary>What trying to reach another host shows.</summary>
    public ProbeOutcome Reach(DnsEndPoint peer)
    {
        if (!Network.Weather.IsOpen(Host.Name, Network.NameAt(peer.Port)))
        {
            return ProbeOutcome.Silent;
        }

        return Network.At(peer.Port) switch
        {
            null => ProbeOutcome.Refused,
            { Host.IsPaused: true } => ProbeOutcome.Silent,
            _ => ProbeOutcome.Answered,
        };
    }
}
