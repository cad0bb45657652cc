using System.Diagnostics;
using System.Globalization;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// The tensor plane beside a plain loopback socket: MB/s and CPU seconds per GB of both ends together, the variants in
/// turns, medians and ranges. "Shared" sends one tensor again and again; "ring" is what processes of one machine do.
/// Aim: 0.8 of the plain socket.
/// </summary>
internal static class PlaneBenchmark
{
    private const int Rounds = 9;
    private static readonly int[] _sizes = [64 << 10, 1 << 20, 8 << 20, 50 << 20];

    /// <summary>Measures and prints.</summary>
    public static void Run(TextWriter output)
    {
        output.WriteLine(Machine.Describe());
        output.WriteLine("tensor plane beside a plain loopback socket, sender and receiver in one process");
        output.WriteLine("size      variant     MB/s                        of plain   CPU s/GB");
        using var plane = new PlanePair(tls: false, ring: false);
        using var ring = new PlanePair(tls: false, ring: true);
        using var tls = new PlanePair(tls: true, ring: false);
        foreach (var size in _sizes)
        {
            Measure(output, size, plane, ring, tls);
        }
    }

    private static void Measure(TextWriter output, int size, PlanePair plane, PlanePair ring, PlanePair tls)
    {
        using var plain = new PlainSocketPair(size);
        (string Name, Func<int, double> Run)[] variants =
        [
            ("plain", plain.Run),
            ("plane", frames => plane.Run(frames, size, isShared: false)),
            ("shared", frames => plane.Run(frames, size, isShared: true)),
            ("ring", frames => ring.Run(frames, size, isShared: false)),
            ("TLS", frames => tls.Run(frames, size, isShared: false)),
        ];
        var frames = Math.Max(8, (256 << 20) / size);
        var megabytes = (double)frames * size / 1e6;
        var speeds = variants.Select(_ => new Samples()).ToArray();
        var costs = variants.Select(_ => new Samples()).ToArray();
        foreach (var (_, run) in variants)
        {
            run(frames);
        }

        for (var round = 0; round < Rounds; round++)
        {
            for (var variant = 0; variant < variants.Length; variant++)
            {
                var before = Process.GetCurrentProcess().TotalProcessorTime;
                speeds[variant].Add(megabytes / variants[variant].Run(frames));
                var cpu = Process.GetCurrentProcess().TotalProcessorTime - before;
                costs[variant].Add(cpu.TotalSeconds / megabytes * 1000);
            }
        }

        for (var variant = 0; variant < variants.Length; variant++)
        {
            var ratio = speeds[variant].Median / speeds[0].Median;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{size >> 10,6} KB {variants[variant].Name,-8} {speeds[variant]} {ratio,12:F2} {costs[variant].Median,10:F2}"));
        }
    }
}
