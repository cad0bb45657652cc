namespace DistributedBackprop.Cli.Train;

/// <summary>What the command line says of a training run.</summary>
/// <param name="JobPath">The job file.</param>
/// <param name="DataRoot">The folder of the data; null for the job file's.</param>
/// <param name="Threads">Threads on which layers compute.</param>
/// <param name="InitPath">A safetensors file of parameters to begin with; null for fresh ones.</param>
/// <param name="ExportPath">Where to write the final parameters; null for nowhere.</param>
/// <param name="Json">Whether events go to standard output, a line each.</param>
/// <param name="JsonEvery">Steps from one progress event to the next.</param>
/// <param name="Verbose">Whether to say where the time goes.</param>
internal sealed record TrainOptions(
    string JobPath,
    string? DataRoot,
    int Threads,
    string? InitPath,
    string? ExportPath,
    bool Json,
    int JsonEvery,
    bool Verbose);
