using System.Globalization;

namespace DistributedBackprop.Benchmarks;

/// <summary>gloo's all-reduce between processes on loopback (<c>peer_allreduce.py</c>).</summary>
internal sealed class GlooPeer : IDisposable
{
    private readonly TorchGroup _group;

    private GlooPeer(TorchGroup group) => _group = group;

    /// <summary>Versions.</summary>
    public string Description => _group.Description;

    /// <summary>Starts it.</summary>
    /// <param name="isPinned">
    /// Whether each is held to a core of its own. Then gloo's thread waits for the core of the one that waits for it, and
    /// small vectors take longer; large ones do not.
    /// </param>
    /// <param name="processes">How many add their vectors.</param>
    /// <returns>Null where there is no Python with PyTorch.</returns>
    public static async Task<GlooPeer?> StartAsync(bool isPinned, int processes = 2) =>
        await TorchGroup.StartAsync("peer_allreduce.py", processes, isPinned) is { } group ? new GlooPeer(group) : null;

    /// <summary>Adds vectors of floats over all processes, some times.</summary>
    /// <param name="bytes">Bytes of a vector.</param>
    /// <param name="rounds">How often.</param>
    /// <returns>Seconds of each, of the process that took the longest.</returns>
    public async Task<double[]> AllReduceAsync(int bytes, int rounds)
    {
        var answers = await _group.AskAsync(string.Create(CultureInfo.InvariantCulture, $"{bytes} {rounds}"));
        return
        [
            .. answers
                .Select(answer => answer.Split(' ').Select(word => double.Parse(word, CultureInfo.InvariantCulture)))
                .Aggregate((left, right) => left.Zip(right, Math.Max)),
        ];
    }

    /// <summary>Ends the processes.</summary>
    public void Dispose() => _group.Dispose();
}
