using System.Diagnostics;
using System.Globalization;

namespace DistributedBackprop.Benchmarks;

/// <summary>
/// A script with PyTorch in a process of its own, which says what it is and then answers each line with a line: so that
/// ours and theirs can take turns on one machine.
/// </summary>
internal sealed class TorchProcess : IDisposable
{
    private const string Python = "/usr/bin/python3";

    // Build machines hold libraries to old kernels, to get the same numbers everywhere: that would flatter us. PyTorch
    // and its libraries are free to choose what they find best.
    private static readonly string[] _holds = ["OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "ATEN_"];

    private readonly Process _process;

    private TorchProcess(Process process) => _process = process;

    /// <summary>Whether there is a Python that may have PyTorch.</summary>
    public static bool IsPossible => File.Exists(Python);

    /// <summary>Starts a script of this folder.</summary>
    /// <param name="script">Its name.</param>
    /// <param name="threads">Threads of its libraries; its first argument, too.</param>
    /// <param name="arguments">Its other arguments.</param>
    public static TorchProcess Start(string script, int threads, params string[] arguments)
    {
        var count = threads.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(Python) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, script));
        start.ArgumentList.Add(count);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var held in start.Environment.Keys.Where(IsHold).ToList())
        {
            start.Environment.Remove(held);
        }

        start.Environment["OMP_NUM_THREADS"] = count;
        start.Environment["OPENBLAS_NUM_THREADS"] = count;

        // Both have threads of their own. OpenMP's would spin on the cores that OpenBLAS's want: with two threads on two
        // cores PyTorch is several times as fast when they sleep.
        start.Environment["OMP_WAIT_POLICY"] = "passive";
        start.Environment["GLOO_SOCKET_IFNAME"] = "lo";
        return new TorchProcess(Process.Start(start)!);
    }

    /// <summary>Sends a line.</summary>
    public void Write(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>Waits for a line; null where the process has ended.</summary>
    public Task<string?> ReadAsync() => _process.StandardOutput.ReadLineAsync();

    /// <summary>Ends the process, which ends with its input.</summary>
    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static bool IsHold(string variable) =>
        Array.Exists(_holds, prefix => variable.StartsWith(prefix, StringComparison.Ordinal));
}
