using System.Globalization;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// What there is over two processes: gloo's all-reduce, and DistributedDataParallel at each of its settings; both with a
/// core for each process and with both cores for either.
/// </summary>
internal static class GlooBenchmark
{
    private const int Rounds = 7;
    private const int Epochs = 2;
    private static readonly (int Megabytes, int Times)[] _vectors = [(2, 50), (40, 6)];

    /// <summary>Measures and prints. Takes about two minutes.</summary>
    public static async Task RunAsync(TextWriter output)
    {
        output.WriteLine(Machine.Describe());
        using var pinned = await GlooPeer.StartAsync(isPinned: true);
        using var free = await GlooPeer.StartAsync(isPinned: false);
        using var pinnedTraining = await DdpPeer.StartAsync(isPinned: true);
        using var freeTraining = await DdpPeer.StartAsync(isPinned: false);
        if (pinned is null || free is null || pinnedTraining is null || freeTraining is null)
        {
            output.WriteLine("PyTorch is not installed: apt-get install python3-torch libopenblas0-pthread");
            return;
        }

        output.WriteLine($"all-reduce of two processes on loopback: {pinned.Description}; µs: median (least … most)");
        foreach (var (megabytes, times) in _vectors)
        {
            await MeasureAllReduceAsync(output, megabytes, times, [("a core each", pinned), ("free", free)]);
        }

        output.WriteLine(
            $"MLP 784-512-256-10, {MlpWorkload.Batch / 2} for each of two processes: {pinnedTraining.Description};"
            + " examples/s: median (least … most)");
        await MeasureTrainingAsync(output, [("a core each", pinnedTraining), ("free", freeTraining)]);
    }

    private static async Task MeasureAllReduceAsync(
        TextWriter output, int megabytes, int times, (string Name, GlooPeer Peer)[] peers)
    {
        var samples = peers.Select(_ => new Samples()).ToArray();
        var bytes = megabytes * 1_000_000;
        for (var round = -1; round < Rounds; round++)
        {
            for (var i = 0; i < peers.Length; i++)
            {
                foreach (var seconds in await peers[i].Peer.AllReduceAsync(bytes, times))
                {
                    Keep(samples[i], round, 1e6 * seconds);
                }
            }
        }

        for (var i = 0; i < peers.Length; i++)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {megabytes,2} MB, {peers[i].Name,-12} {samples[i]}  {bytes / samples[i].Median:N0} MB/s of the vector"));
        }
    }

    // The settings take turns, so that what else the machine does falls on all of them.
    private static async Task MeasureTrainingAsync(TextWriter output, (string Name, DdpPeer Peer)[] peers)
    {
        var variants = (from peer in peers
                        from settings in DdpSettings.All
                        select (peer.Name, peer.Peer, Settings: settings, Samples: new Samples())).ToList();
        for (var round = -1; round < Rounds; round++)
        {
            foreach (var (_, peer, settings, samples) in variants)
            {
                Keep(samples, round, await peer.TrainAsync(Epochs, settings));
            }
        }

        var best = variants.Max(variant => variant.Samples.Median);
        foreach (var (name, _, settings, samples) in variants)
        {
            output.WriteLine($"  {settings}, {name,-12} {samples}{(samples.Median >= best ? "  best" : "")}");
        }
    }

    // The round before the first is the warm-up.
    private static void Keep(Samples samples, int round, double value)
    {
        if (round >= 0)
        {
            samples.Add(value);
        }
    }
}
