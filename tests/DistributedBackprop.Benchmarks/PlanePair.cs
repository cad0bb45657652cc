using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace DistributedBackprop.Benchmarks;

/// <summary>One node's tensor plane in its host, and a link of another that sends to it over loopback.</summary>
internal sealed class PlanePair : ITensorReceiver, ILinkObserver, IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    private readonly WebApplication _host;
    private readonly TensorPlane _receiver;
    private readonly TensorPlane _sender;
    private readonly TensorPool _pool = new();
    private readonly ITensorLink _link;
    private readonly AutoResetEvent _places = new(false);
    private readonly ManualResetEventSlim _done = new();
    private int _left;

    /// <param name="tls">Whether all is encrypted.</param>
    /// <param name="ring">Whether frames go through shared memory.</param>
    public PlanePair(bool tls, bool ring)
    {
        var settings = Settings with { Tls = tls ? SelfSigned() : null, RingBytes = ring ? Settings.RingBytes : 0 };
        _receiver = new TensorPlane(settings, new TensorPool());
        _sender = new TensorPlane(settings, _pool);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddTensorPlane(_receiver, new IPEndPoint(IPAddress.Loopback, 0));
        _host = builder.Build();
        _host.StartAsync().Wait(_patience);
        _receiver.Prepare(1, 1, this);
        _link = _sender.Open(
            new DnsEndPoint("localhost", _receiver.EndPoint!.Port, AddressFamily.InterNetwork), this);
    }

    /// <summary>The settings of every node here, without TLS.</summary>
    public static PlaneSettings Settings { get; } = new("benchmark", new byte[] { 1 });

    /// <summary>Where the receiver listens.</summary>
    public int Port => _receiver.EndPoint!.Port;

    /// <summary>Sends some frames of a size.</summary>
    /// <param name="frames">How many.</param>
    /// <param name="payloadBytes">Of how many bytes.</param>
    /// <param name="isShared">
    /// Whether all share one tensor, as when a pullback keeps a layer's output; else each is rented and sent alone.
    /// </param>
    /// <returns>Seconds from the first send to the delivery of the last.</returns>
    public double Run(int frames, int payloadBytes, bool isShared)
    {
        var shape = new Shape(payloadBytes / sizeof(float));
        using var shared = Tensor.RentZeros(_pool, shape);
        var header = new FrameHeader { Job = 1, Generation = 1, Kind = FrameKind.Activation };
        _left = frames;
        _done.Reset();
        var clock = Stopwatch.StartNew();
        for (var frame = 0; frame < frames; frame++)
        {
            var tensor = isShared ? shared.Share() : Tensor.Rent(_pool, shape);
            while (!_link.TrySend(header with { MicroBatch = frame }, tensor))
            {
                Wait(_places);
            }
        }

        Wait(_done.WaitHandle);
        return clock.Elapsed.TotalSeconds;
    }

    public Verdict Judge(string node, in FrameHeader header) => Verdict.Deliver;

    public void OnTensor(string node, in FrameHeader header, Tensor tensor, IPlace place)
    {
        tensor.Dispose();
        place.Return();
        if (Interlocked.Decrement(ref _left) == 0)
        {
            _done.Set();
        }
    }

    public void OnPeerLost(string node, string reason)
    {
    }

    public void OnPlaces(ITensorLink link, Flow flow) => _places.Set();

    public void OnBroken(ITensorLink link, string reason) => Console.Error.WriteLine(reason);

    public void OnProbed(ITensorLink link, ProbeOutcome outcome)
    {
    }

    public void OnReleased(ITensorLink link)
    {
    }

    public void Dispose()
    {
        _link.Dispose();
        using var now = new CancellationTokenSource();
        now.Cancel();
        _host.StopAsync(now.Token).Wait(_patience);
        _receiver.Dispose();
        _sender.Dispose();
        _places.Dispose();
        _done.Dispose();
    }

    private static void Wait(WaitHandle handle)
    {
        if (!handle.WaitOne(_patience))
        {
            throw new TimeoutException("The tensor plane stands still.");
        }
    }

    private static PlaneTls SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = DateTimeOffset.UtcNow;
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return new PlaneTls(certificate, [certificate], false);
    }
}
