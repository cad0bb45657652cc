using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// A process that is killed (<c>SIGKILL</c>) while it sends 8 MB frames to a node that sends it nothing: milliseconds until
/// that node hears of it.
/// </summary>
internal sealed class LostPeerBenchmark : ITensorReceiver, IDisposable
{
    private const int Rounds = 9;
    private const string Sender = "plane-sender";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _delivered = new(0);
    private readonly TaskCompletionSource<long> _lost = new();

    /// <summary>Measures and prints.</summary>
    public static void Run(TextWriter output)
    {
        using var plane = new TensorPlane(PlanePair.Settings, new TensorPool());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddTensorPlane(plane, new IPEndPoint(IPAddress.Loopback, 0));
        using var host = builder.Build();
        host.StartAsync().Wait(_patience);
        var lost = new Samples();
        for (var generation = 1; generation <= Rounds; generation++)
        {
            using var round = new LostPeerBenchmark();
            plane.Prepare(1, generation, round);
            lost.Add(1e6 * round.Kill(plane.EndPoint!.Port, generation));
            plane.Retire(1, generation);
        }

        output.WriteLine($"killed sender: known to its receiver after {lost} µs");
    }

    /// <summary>The sender's process: sends until it is killed.</summary>
    public static void Send(int port, long generation)
    {
        using var link = new LinkOfSender(port);
        link.SendForEver(generation);
    }

    public Verdict Judge(string node, in FrameHeader header) => Verdict.Deliver;

    public void OnTensor(string node, in FrameHeader header, Tensor tensor, IPlace place)
    {
        tensor.Dispose();
        place.Return();
        _delivered.Release();
    }

    public void OnPeerLost(string node, string reason) => _lost.SetResult(Stopwatch.GetTimestamp());

    public void Dispose() => _delivered.Dispose();

    private double Kill(int port, int generation)
    {
        using var peer = BrokenLinkBenchmark.StartSelf(
            Sender, port.ToString(CultureInfo.InvariantCulture), generation.ToString(CultureInfo.InvariantCulture));
        for (var frame = 0; frame < 20; frame++)
        {
            if (!_delivered.Wait(_patience))
            {
                throw new TimeoutException("The sender sends no frames.");
            }
        }

        var killed = Stopwatch.GetTimestamp();
        peer.Kill();
        return _lost.Task.Wait(_patience)
            ? Stopwatch.GetElapsedTime(killed, _lost.Task.Result).TotalSeconds
            : throw new TimeoutException("The end of the sender was not noticed.");
    }

    private sealed class LinkOfSender : ILinkObserver, IDisposable
    {
        private readonly TensorPool _pool = new();
        private readonly AutoResetEvent _places = new(false);
        private readonly TensorPlane _plane;
        private readonly ITensorLink _link;

        public LinkOfSender(int port)
        {
            _plane = new TensorPlane(PlanePair.Settings, _pool);
            _link = _plane.Open(new DnsEndPoint("localhost", port, AddressFamily.InterNetwork), this);
        }

        public void SendForEver(long generation)
        {
            using var tensor = Tensor.RentZeros(_pool, new Shape(2 << 20));
            var header = new FrameHeader { Job = 1, Generation = generation, Kind = FrameKind.State };
            while (true)
            {
                var share = tensor.Share();
                while (!_link.TrySend(header, share))
                {
                    if (!_places.WaitOne(_patience))
                    {
                        return;
                    }
                }
            }
        }

        public void OnPlaces(ITensorLink link, Flow flow) => _places.Set();

        // Its receiver has gone, and so it goes too.
        public void OnBroken(ITensorLink link, string reason) => Environment.Exit(0);

        public void OnProbed(ITensorLink link, ProbeOutcome outcome)
        {
        }

        public void OnReleased(ITensorLink link)
        {
        }

        public void Dispose()
        {
            _link.Dispose();
            _plane.Dispose();
            _places.Dispose();
        }
    }
}
