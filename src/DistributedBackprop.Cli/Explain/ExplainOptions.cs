namespace DistributedBackprop.Cli.Explain;

/// <summary>What the command line says of an explanation.</summary>
/// <param name="JobPath">The job file.</param>
/// <param name="DataRoot">The folder of the data; null for the job file's.</param>
/// <param name="Example">Which training example is shown, from 0.</param>
/// <param name="Examples">Over how many examples, from that one on, the layers' health is judged; null for not at all.</param>
/// <param name="Step">Steps that the job trains before.</param>
/// <param name="InitPath">A safetensors file of parameters to begin with; null for fresh ones.</param>
/// <param name="Json">Whether events go to standard output, a line each.</param>
/// <param name="HtmlPath">Where to write the page; null for nowhere.</param>
/// <param name="Pause">Whether to wait for a key after each screen.</param>
internal sealed record ExplainOptions(
    string JobPath,
    string? DataRoot,
    int Example,
    int? Examples,
    long Step,
    string? InitPath,
    bool Json,
    string? HtmlPath,
    bool Pause)
{
    /// <summary>The folder of the data files.</summary>
    public string DataFolder => DataRoot ?? Path.GetDirectoryName(Path.GetFullPath(JobPath))!;
}
