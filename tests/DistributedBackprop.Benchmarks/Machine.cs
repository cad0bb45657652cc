using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Benchmarks;

/// <summary>Where the figures come from: without that they say nothing.</summary>
internal static class Machine
{
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
}
