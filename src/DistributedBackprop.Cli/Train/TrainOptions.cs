namespace DistributedBackprop.Cli.Train;

/// <summary>What the command line says of a training run.</summary>
/// <param name="JobPath">The job file.</param>
/// <param name="DataRoot">The folder of the data; null for the job file's.</param>
/// <param name="State">The folder of durable state; null for the default.</param>
/// <param name="Nodes">Child processes that train; null for this process alone.</param>
/// <param name="Threads">Threads on which the layers of a process compute; null for all cores, shared by the processes.</param>
/// <param name="InitPath">A safetensors file of parameters to begin with; null for fresh ones.</param>
/// <param name="ExportPath">Where to write the final parameters; null for nowhere.</param>
/// <param name="Json">Whether events go to standard output, a line each.</param>
/// <param name="JsonEvery">Steps from one progress event to the next.</param>
/// <param name="OtlpEndpoint">Where measures and traces go; null: where the environment says, or nowhere.</param>
/// <param name="Force">Whether a job that another version has begun goes on.</param>
/// <param name="Verbose">Whether to say where the time goes.</param>
internal sealed record TrainOptions(
    string JobPath,
    string? DataRoot,
    string? State,
    int? Nodes,
    int? Threads,
    string? InitPath,
    string? ExportPath,
    bool Json,
    int JsonEvery,
    string? OtlpEndpoint,
    bool Force,
    bool Verbose)
{
    /// <summary>Threads on which the layers of one process compute.</summary>
    public int ThreadsPerProcess => Threads ?? Math.Max(1, Environment.ProcessorCount / (Nodes ?? 1));

    /// <summary>The folder of durable state.</summary>
    public string StateFolder => State ?? ".backprop";

    /// <summary>The folder of the data files.</summary>
    public string DataFolder => DataRoot ?? Path.GetDirectoryName(Path.GetFullPath(JobPath))!;
}
