using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

// A semaphore whose handle nobody asks for holds nothing that would have to be disposed of.
#pragma warning disable CA1001

namespace DistributedBackprop.Actors.Tests.Transport;

/// <summary>A node's host with nothing but its tensor plane, on a port of its own.</summary>
internal sealed class PlaneNode : IAsyncDisposable
{
    public const ulong Job = 0xBAC4;
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    public static readonly byte[] Secret = Encoding.UTF8.GetBytes("what all nodes know");

    private readonly WebApplication _app;

    private PlaneNode(WebApplication app, TensorPlane plane, TensorPool pool)
    {
        _app = app;
        Plane = plane;
        Pool = pool;
    }

    public TensorPlane Plane { get; }

    public TensorPool Pool { get; }

    public PinnedBlockPool Blocks => _app.Services.GetRequiredService<PinnedBlockPool>();

    public DnsEndPoint Address => new("localhost", Plane.EndPoint!.Port, AddressFamily.InterNetwork);

    public static async Task<PlaneNode> StartAsync(Func<PlaneSettings, PlaneSettings>? change = null, int port = 0)
    {
        var settings = new PlaneSettings("node", Secret);
        var pool = new TensorPool();
        var plane = new TensorPlane(change?.Invoke(settings) ?? settings, pool);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddTensorPlane(plane, new IPEndPoint(IPAddress.Loopback, port));
        var app = builder.Build();
        await app.StartAsync().WaitAsync(Patience);
        return new PlaneNode(app, plane, pool);
    }

    /// <summary>A certificate that is its own authority.</summary>
    public static PlaneTls SelfSigned(bool mutual)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return new PlaneTls(certificate, [certificate], mutual);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token).WaitAsync(Patience);
        await _app.DisposeAsync().AsTask().WaitAsync(Patience);
        Plane.Dispose();
    }
}

/// <summary>Hears of a link.</summary>
internal sealed class LinkEvents : ILinkObserver
{
    private readonly SemaphoreSlim[] _places =
        [.. Enumerable.Range(0, Flows.Count).Select(_ => new SemaphoreSlim(0))];

    public TaskCompletionSource<string> Broken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource<ProbeOutcome> Probed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task SendAsync(ITensorLink link, FrameHeader header, Tensor tensor)
    {
        while (!link.TrySend(header, tensor))
        {
            var placed = _places[(int)header.Flow].WaitAsync(PlaneNode.Patience);
            if (await Task.WhenAny(placed, Broken.Task) == Broken.Task || !await placed)
            {
                tensor.Dispose();
                throw new IOException(Broken.Task.IsCompleted ? await Broken.Task : "No place came.");
            }
        }
    }

    public void OnPlaces(ITensorLink link, Flow flow) => _places[(int)flow].Release();

    public void OnBroken(ITensorLink link, string reason) => Broken.SetResult(reason);

    public void OnProbed(ITensorLink link, ProbeOutcome outcome) => Probed.SetResult(outcome);

    public void OnReleased(ITensorLink link) => Released.SetResult();
}

/// <summary>Keeps what has arrived until it is taken; returns places at once unless told otherwise.</summary>
internal sealed class Inbox(bool keepsPlaces = false) : ITensorReceiver
{
    private readonly ConcurrentQueue<(FrameHeader Header, Tensor Tensor, IPlace Place)> _arrived = new();
    private readonly SemaphoreSlim _count = new(0);
    private readonly int[] _held = new int[Flows.Count];
    private readonly int[] _mostHeld = new int[Flows.Count];

    public int Count => _arrived.Count;

    /// <summary>Nodes that were said to be lost, in order.</summary>
    public ConcurrentQueue<string> Lost { get; } = new();

    public int MostHeld => _mostHeld.Max();

    public Verdict Judge(string node, in FrameHeader header) => Verdict.Deliver;

    public void OnTensor(string node, in FrameHeader header, Tensor tensor, IPlace place)
    {
        var flow = (int)header.Flow;
        var held = Interlocked.Increment(ref _held[flow]);
        _mostHeld[flow] = Math.Max(_mostHeld[flow], held);
        _arrived.Enqueue((header, tensor, place));
        if (!keepsPlaces)
        {
            Interlocked.Decrement(ref _held[flow]);
            place.Return();
        }

        _count.Release();
    }

    public void OnPeerLost(string node, string reason) => Lost.Enqueue(node);

    public async Task<(FrameHeader Header, Tensor Tensor)> TakeAsync()
    {
        (await _count.WaitAsync(PlaneNode.Patience)).ShouldBeTrue("no frame came");
        _arrived.TryDequeue(out var frame).ShouldBeTrue();
        if (keepsPlaces)
        {
            Interlocked.Decrement(ref _held[(int)frame.Header.Flow]);
            frame.Place.Return();
        }

        return (frame.Header, frame.Tensor);
    }
}

/// <summary>Waits for what other threads bring about.</summary>
internal static class Eventually
{
    public static async Task BeTrueAsync(Func<bool> condition, string what)
    {
        using var timeout = new CancellationTokenSource(PlaneNode.Patience);
        while (!condition())
        {
            timeout.IsCancellationRequested.ShouldBeFalse(what);
            await Task.Delay(1);
        }
    }
}
