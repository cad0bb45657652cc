using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Benchmarks;

/// <summary>Where the figures come from: without that they say nothing.</summary>
internal static class Machine
{
    /// <summary>Cores of the machine, whichever of them this process may use.</summary>
    public static int Cores { get; } = CountCores();

    /// <summary>Processor, cores that may be used, vectors, runtime.</summary>
    public static string Describe()
    {
        const string cpuInfo = "/proc/cpuinfo";
        var model = File.Exists(cpuInfo)
            ? File.ReadLines(cpuInfo).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            : null;
        var name = model?[(model.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? "unknown processor";
        return $"{name}, {Environment.ProcessorCount} cores, {HardwareSupport.Describe()}, .NET {Environment.Version}";
    }

    private static int CountCores()
    {
        const string cores = "/sys/devices/system/cpu";
        var count = Directory.Exists(cores)
            ? Directory.GetDirectories(cores).Count(path => Path.GetFileName(path) is ['c', 'p', 'u', .. var number] && number.All(char.IsAsciiDigit))
            : 0;
        return Math.Max(1, count);
    }
}
