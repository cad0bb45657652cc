using System.Diagnostics;
using System.Globalization;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// PyTorch in a process of its own (<c>peer_mlp.py</c>) that trains only while it is asked to: so that ours and theirs
/// can take turns on one machine.
/// </summary>
internal sealed class TorchPeer : IDisposable
{
    private const string Python = "/usr/bin/python3";

    // Build machines hold libraries to old kernels, to get the same numbers everywhere: that would flatter us. PyTorch
    // and its libraries are free to choose what they find best.
    private static readonly string[] _holds = ["OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "ATEN_"];

    private readonly Process _process;
    private readonly string _data;

    private TorchPeer(Process process, string data, string description)
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
        if (!File.Exists(Python))
        {
            return null;
        }

        var data = Path.GetTempFileName();
        using (var file = File.Create(data))
        {
            file.Write(MlpWorkload.Data.Train.FeatureBytes);
            file.Write(Array.ConvertAll(MlpWorkload.Data.Train.Labels.ToArray(), label => (byte)label));
        }

        var count = threads.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(Python) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "peer_mlp.py"));
        start.ArgumentList.Add(count);
        start.ArgumentList.Add(data);
        start.ArgumentList.Add(MlpWorkload.Examples.ToString(CultureInfo.InvariantCulture));
        start.ArgumentList.Add(MlpWorkload.Batch.ToString(CultureInfo.InvariantCulture));
        foreach (var held in start.Environment.Keys.Where(IsHold).ToList())
        {
            start.Environment.Remove(held);
        }

        start.Environment["OMP_NUM_THREADS"] = count;
        start.Environment["OPENBLAS_NUM_THREADS"] = count;
        var process = Process.Start(start)!;
        var description = process.StandardOutput.ReadLine();
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
        _process.StandardInput.WriteLine(epochs.ToString(CultureInfo.InvariantCulture));
        _process.StandardInput.Flush();
        var line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("PyTorch's process has ended.");
        return double.Parse(line, CultureInfo.InvariantCulture);
    }

    /// <summary>Ends the process, which ends with its input.</summary>
    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
        File.Delete(_data);
    }

    private static bool IsHold(string variable) =>
        Array.Exists(_holds, prefix => variable.StartsWith(prefix, StringComparison.Ordinal));
}
