namespace DistributedBackprop.Benchmarks;

/// <summary>The workload's examples in a file for PyTorch: all features as bytes, then all labels as bytes.</summary>
internal sealed class WorkloadFile : IDisposable
{
    public WorkloadFile()
    {
        Path = System.IO.Path.GetTempFileName();
        using var file = File.Create(Path);
        file.Write(MlpWorkload.Data.Train.FeatureBytes);
        file.Write(Array.ConvertAll(MlpWorkload.Data.Train.Labels.ToArray(), label => (byte)label));
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Deletes it.</summary>
    public void Dispose() => File.Delete(Path);
}
