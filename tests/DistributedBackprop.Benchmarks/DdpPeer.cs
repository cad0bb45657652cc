using System.Globalization;

namespace DistributedBackprop.Benchmarks;

/// <summary>What becomes of the gradients between two steps.</summary>
internal enum DdpGradients
{
    /// <summary>Given up, and copied into the buckets when they are there again.</summary>
    Copied,

    /// <summary>As <see cref="Copied"/>, but the buckets are the gradients then (<c>gradient_as_bucket_view</c>).</summary>
    Viewed,

    /// <summary>As <see cref="Viewed"/>, but set to zero and added to in place.</summary>
    Kept,
}

/// <summary>How DistributedDataParallel is set.</summary>
/// <param name="BucketMegabytes">Gradients that are reduced together (<c>bucket_cap_mb</c>).</param>
/// <param name="Gradients">What becomes of them.</param>
internal sealed record DdpSettings(int BucketMegabytes, DdpGradients Gradients)
{
    /// <summary>All that are tried.</summary>
    public static IReadOnlyList<DdpSettings> All { get; } =
    [
        .. from bucket in new[] { 1, 4, 25 }
           from gradients in Enum.GetValues<DdpGradients>()
           select new DdpSettings(bucket, gradients),
    ];

    /// <inheritdoc/>
    public override string ToString() => $"{BucketMegabytes,2} MB {Gradients.ToString().ToLowerInvariant(),-6}";
}

/// <summary>
/// PyTorch's DistributedDataParallel over gloo (<c>peer_ddp.py</c>) on the workload's network and data: processes on
/// loopback with a thread each, half of <see cref="MlpWorkload.Batch"/> for each of two.
/// </summary>
internal sealed class DdpPeer : IDisposable
{
    private readonly TorchGroup _group;
    private readonly WorkloadFile _data;

    private DdpPeer(TorchGroup group, WorkloadFile data)
    {
        _group = group;
        _data = data;
    }

    /// <summary>Versions.</summary>
    public string Description => _group.Description;

    /// <summary>Starts it.</summary>
    /// <param name="isPinned">Whether each is held to a core of its own.</param>
    /// <param name="processes">Over how many processes a minibatch is cut.</param>
    /// <returns>Null where there is no Python with PyTorch.</returns>
    public static async Task<DdpPeer?> StartAsync(bool isPinned, int processes = 2)
    {
        var data = new WorkloadFile();
        var group = await TorchGroup.StartAsync(
            "peer_ddp.py",
            processes,
            isPinned,
            data.Path,
            MlpWorkload.Examples.ToString(CultureInfo.InvariantCulture),
            (MlpWorkload.Batch / processes).ToString(CultureInfo.InvariantCulture));
        if (group is not null)
        {
            return new DdpPeer(group, data);
        }

        data.Dispose();
        return null;
    }

    /// <summary>Trains a fresh network.</summary>
    /// <param name="epochs">How long.</param>
    /// <param name="settings">How it is set.</param>
    /// <returns>Examples per second, of all processes together.</returns>
    public async Task<double> TrainAsync(int epochs, DdpSettings settings)
    {
        var gradients = settings.Gradients.ToString().ToLowerInvariant();
        var answers = await _group.AskAsync(
            string.Create(CultureInfo.InvariantCulture, $"{epochs} {settings.BucketMegabytes} {gradients}"));
        return answers.Min(answer => double.Parse(answer, CultureInfo.InvariantCulture));
    }

    /// <summary>Ends the processes.</summary>
    public void Dispose()
    {
        _group.Dispose();
        _data.Dispose();
    }
}
