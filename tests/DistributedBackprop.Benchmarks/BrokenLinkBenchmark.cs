using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DistributedBackprop.Actors.Transport;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// A process that is killed (<c>SIGKILL</c>) while it is sent 8 MB frames: milliseconds until the link is known to be
/// broken, and until its process is known to be dead.
/// </summary>
internal static class BrokenLinkBenchmark
{
    private const int Rounds = 9;
    private const string Peer = "plane-peer";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    /// <summary>Measures and prints.</summary>
    public static void Run(TextWriter output)
    {
        var broken = new Samples();
        var dead = new Samples();
        var outcomes = new Dictionary<ProbeOutcome, int>();
        for (var round = 0; round < Rounds; round++)
        {
            using var peer = StartSelf(Peer);
            using var kill = new Kill(int.Parse(peer.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture));
            var (toBroken, toDead, outcome) = kill.Run(peer);
            broken.Add(1000 * toBroken.TotalMilliseconds);
            dead.Add(1000 * toDead.TotalMilliseconds);
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
        }

        output.WriteLine($"killed peer: link broken after {broken} µs");
        output.WriteLine($"killed peer: tried again after {dead} µs: {string.Join(", ", outcomes)}");
    }

    /// <summary>The peer's process: takes frames until it is killed or its input ends.</summary>
    public static void Listen(TextReader input, TextWriter output)
    {
        using var plane = new PlanePair(tls: false, ring: true);
        output.WriteLine(plane.Port.ToString(CultureInfo.InvariantCulture));
        output.Flush();
        input.ReadLine();
    }

    /// <summary>Starts this program again.</summary>
    public static Process StartSelf(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(BrokenLinkBenchmark).Assembly.Location);
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private sealed class Kill : ILinkObserver, IDisposable
    {
        private readonly TensorPool _pool = new();
        private readonly TensorPlane _plane;
        private readonly ITensorLink _link;
        private readonly AutoResetEvent _places = new(false);
        private readonly TaskCompletionSource<long> _broken = new();
        private readonly TaskCompletionSource<(long At, ProbeOutcome Outcome)> _probed = new();

        public Kill(int port)
        {
            _plane = new TensorPlane(PlanePair.Settings, _pool);
            _link = _plane.Open(new DnsEndPoint("localhost", port, AddressFamily.InterNetwork), this);
        }

        public (TimeSpan ToBroken, TimeSpan ToDead, ProbeOutcome Outcome) Run(Process peer)
        {
            using var tensor = Tensor.RentZeros(_pool, new Shape(2 << 20));
            var header = new FrameHeader { Job = 1, Generation = 1, Kind = FrameKind.Activation };
            for (var frame = 0; frame < 20; frame++)
            {
                var share = tensor.Share();
                while (!_link.TrySend(header, share))
                {
                    if (!_places.WaitOne(_patience))
                    {
                        throw new TimeoutException("The peer takes no frames.");
                    }
                }
            }

            var killed = Stopwatch.GetTimestamp();
            peer.Kill();
            if (!Task.WaitAll([_broken.Task, _probed.Task], _patience))
            {
                throw new TimeoutException("The end of the peer was not noticed.");
            }

            var probed = _probed.Task.Result;
            return (
                Stopwatch.GetElapsedTime(killed, _broken.Task.Result),
                Stopwatch.GetElapsedTime(killed, probed.At),
                probed.Outcome);
        }

        public void OnPlaces(ITensorLink link, Flow flow) => _places.Set();

        public void OnBroken(ITensorLink link, string reason) => _broken.SetResult(Stopwatch.GetTimestamp());

        public void OnProbed(ITensorLink link, ProbeOutcome outcome) =>
            _probed.SetResult((Stopwatch.GetTimestamp(), outcome));

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
