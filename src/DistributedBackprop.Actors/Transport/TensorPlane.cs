using System.Net;
using DistributedBackprop.Training.Tensors;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DistributedBackprop.Actors.Transport;

/// <summary>
/// Tensors between node processes over TCP, on their own port: what comes in is a Kestrel connection handler in the
/// node's own host (<see cref="TensorPlaneHosting"/>), what goes out one socket per link. So two one-way connections
/// carry a pair of nodes.
/// </summary>
public sealed class TensorPlane : ConnectionHandler, ITensorPlane, IDisposable
{
    private Func<IPEndPoint?> _listening = () => null;

    /// <summary>Makes a plane that nobody can reach yet.</summary>
    /// <param name="settings">How it works.</param>
    /// <param name="pool">Where the memory of arriving tensors comes from.</param>
    /// <param name="log">Where refusals are told; null: nowhere.</param>
    public TensorPlane(PlaneSettings settings, TensorPool pool, ILogger<TensorPlane>? log = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.PlacesPerFlow, 1, nameof(settings));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            settings.PlacesPerFlow, PlaneSettings.MaxPlacesPerFlow, nameof(settings));
        if (settings.RingBytes != 0 && !SharedRing.IsCapacity(settings.RingBytes))
        {
            throw new ArgumentOutOfRangeException(
                nameof(settings), settings.RingBytes, "A ring has 4 KB to 1 GB, a multiple of 64 bytes, or there is none (0).");
        }

        Settings = settings;
        Pool = pool;
        Log = log ?? NullLogger<TensorPlane>.Instance;
        _ = new Hello(settings.Node, IsProbe: false).Write(new byte[Hello.NonceBytes]); // the name is checked here
        Deadlines = new Deadlines(settings.Time);
        Admission = new Admission(settings);
        Deadlines.Add(Admission);
        Watch = new PeerWatch(Gate);
    }

    /// <summary>How it works.</summary>
    public PlaneSettings Settings { get; }

    /// <summary>What has come in.</summary>
    public PlaneCounters Counters { get; } = new();

    /// <summary>Where it listens; null before the host has started.</summary>
    public IPEndPoint? EndPoint => _listening();

    /// <summary>Connections from other nodes that have said hello.</summary>
    public int Connections => Admission.Established;

    /// <summary>Connections that have yet to say hello.</summary>
    public int Strangers => Admission.Strangers;

    /// <summary>Frames that have a place at another node and wait to leave.</summary>
    public int FramesWaiting => Links.Waiting;

    /// <summary>Payload bytes of a flow that have left for other nodes.</summary>
    public long BytesSent(Flow flow) => Links.BytesSent(flow);

    internal OpenLinks Links { get; } = new();

    internal TensorPool Pool { get; }

    internal ILogger Log { get; }

    internal GenerationGate Gate { get; } = new();

    internal Admission Admission { get; }

    internal Deadlines Deadlines { get; }

    internal PeerWatch Watch { get; }

    /// <inheritdoc/>
    public void Prepare(ulong job, long generation, ITensorReceiver receiver) => Gate.Prepare(job, generation, receiver);

    /// <inheritdoc/>
    public void Retire(ulong job, long generation) => Gate.Retire(job, generation);

    /// <inheritdoc/>
    public ITensorLink Open(DnsEndPoint peer, ILinkObserver observer)
    {
        var link = new TensorLink(this, peer, observer);
        Links.Add(link);
        link.Start();
        return link;
    }

    /// <inheritdoc/>
    public void Probe(DnsEndPoint peer, Action<ProbeOutcome> told)
    {
        ArgumentNullException.ThrowIfNull(told);
        _ = ProbeAsync();

        async Task ProbeAsync()
        {
            // Away from the thread of the actor that asks.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            told(await LinkOpening.ProbeAsync(this, peer).ConfigureAwait(false));
        }
    }

    /// <inheritdoc/>
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var ticket = connection.Features.Get<AdmissionTicket>()
            ?? throw new InvalidOperationException("The listener of the tensor plane is set up by UseTensorPlane.");
        await new IncomingConnection(connection, this).RunAsync(ticket).ConfigureAwait(false);
    }

    /// <summary>Stops its timer. Links and connections end by themselves, or with the host.</summary>
    public void Dispose() => Deadlines.Dispose();

    internal void ListensAt(Func<IPEndPoint?> where) => _listening = where;
}
