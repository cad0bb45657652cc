using System.Globalization;

namespace DistributedBackprop.Benchmarks;

/// <summary>PyTorch in one process (<c>peer_mlp.py</c>) that trains only while it is asked to.</summary>
internal sealed class TorchPeer : IDisposable
{
    private readonly TorchProcess _process;
    private readonly WorkloadFile _data;

    private TorchPeer(TorchProcess process, WorkloadFile data, string description)
    {
        _process = process;
        _data = data;
        Description = description;
    }

    /// <summary>Versions of PyTorch and of its BLAS.</summary>
    public string Description { get; }

    /// <summary>Starts it on the workload's own data.</summary>
    /// <returns>Null where there is no Python with PyTorch.</returns>
    public static TorchPeer? Start(int threads)
    {
        if (!TorchProcess.IsPossible)
        {
            return null;
        }

        var data = new WorkloadFile();
        var process = TorchProcess.Start(
            "peer_mlp.py",
            threads,
            data.Path,
            MlpWorkload.Examples.ToString(CultureInfo.InvariantCulture),
            MlpWorkload.Batch.ToString(CultureInfo.InvariantCulture));
        var description = process.ReadAsync().Result;
        var peer = new TorchPeer(process, data, description ?? "missing");
        if (peer.Description != "missing")
        {
            return peer;
        }

        peer.Dispose();
        return null;
    }

    /// <summary>Trains some epochs.</summary>
    /// <returns>Examples per second.</returns>
    public double Train(int epochs)
    {
        _process.Write(epochs.ToString(CultureInfo.InvariantCulture));
        var line = _process.ReadAsync().Result ?? throw new InvalidOperationException("PyTorch's process has ended.");
        return double.Parse(line, CultureInfo.InvariantCulture);
    }

    /// <summary>Ends the process.</summary>
    public void Dispose()
    {
        _process.Dispose();
        _data.Dispose();
    }
}
